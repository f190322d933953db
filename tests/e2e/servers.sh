# shellcheck shell=bash
# Real servers on loopback; source it after lib.sh. Each function starts one and
# prints nothing; what it listens on is in a variable. `stop_servers` ends them.

SERVERS=()

stop_servers() {
    local pid
    for pid in "${SERVERS[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${SERVERS[@]}"; do wait "$pid" 2>/dev/null; done
    SERVERS=()
}

# answers URL...: waits until every URL is answered by somebody, with any status.
answers() {
    local url
    for url in "$@"; do
        for _ in $(seq 100); do
            curl --silent --output /dev/null --max-time 5 --cacert "${SERVER_CA:-/etc/ssl/certs/ca-certificates.crt}" "$url" && continue 2
            sleep 0.1
        done
        die "nobody answers at $url"
    done
}

# git_server FOLDER USER PASSWORD: the bare repositories in FOLDER, to read and to
# push, at $GIT_URL/NAME.git, for who knows the password.
git_server() {
    local folder=$1 port conf=$WORK/git-server
    package lighttpd lighttpd && package git git && package curl curl || return 1
    port=$(free_port) || return 1
    rm -rf "$conf" && mkdir -p "$conf"
    printf '%s:%s\n' "$2" "$3" >"$conf/users"
    cat >"$conf/lighttpd.conf" <<CONF
server.modules = ( "mod_alias", "mod_auth", "mod_authn_file", "mod_cgi", "mod_setenv", "mod_accesslog" )
server.document-root = "$conf"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$conf/error.log"
server.max-connections = 512
server.stream-request-body = 2
accesslog.filename = "$conf/access.log"
auth.backend = "plain"
auth.backend.plain.userfile = "$conf/users"
auth.require = ( "/" => ( "method" => "basic", "realm" => "git", "require" => "valid-user" ) )
alias.url = ( "/" => "$(git --exec-path)/git-http-backend/" )
cgi.assign = ( "" => "" )
setenv.set-environment = ( "GIT_PROJECT_ROOT" => "$folder", "GIT_HTTP_EXPORT_ALL" => "1" )
CONF
    lighttpd -D -f "$conf/lighttpd.conf" >"$conf/log" 2>&1 &
    SERVERS+=($!)
    GIT_URL=http://127.0.0.1:$port
    answers "$GIT_URL/"
}

# registry NAME [auth] [tls]: an empty docker-registry at $REGISTRY (host:port), with
# user `robot`, password `registry-password`, and with a certificate of $SERVER_CA.
registry() {
    local port conf=$WORK/registry-$1 scheme=http
    shift
    package docker-registry docker-registry && package htpasswd apache2-utils && package curl curl || return 1
    port=$(free_port) || return 1
    rm -rf "$conf" && mkdir -p "$conf/data"
    {
        printf 'version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: %s/data}\n  delete: {enabled: true}\n' "$conf"
        printf 'http:\n  addr: 127.0.0.1:%s\n' "$port"
        case " $* " in *" tls "*)
            scheme=https
            certificate "$conf" || return 1
            printf '  tls: {certificate: %s/server.pem, key: %s/server.key}\n' "$conf" "$conf"
            ;;
        esac
        case " $* " in *" auth "*)
            htpasswd -Bbc "$conf/htpasswd" robot registry-password 2>/dev/null || return 1
            printf 'auth:\n  htpasswd: {realm: registry, path: %s/htpasswd}\n' "$conf"
            ;;
        esac
    } >"$conf/config.yml"
    docker-registry serve "$conf/config.yml" >"$conf/log" 2>&1 &
    SERVERS+=($!)
    REGISTRY=127.0.0.1:$port
    answers "$scheme://$REGISTRY/v2/"
}

# certificate FOLDER: an authority of its own ($SERVER_CA) and what it vouches for:
# FOLDER/server.pem and server.key for 127.0.0.1 and localhost.
certificate() {
    local folder=$1
    package openssl openssl || return 1
    SERVER_CA=$folder/ca.pem
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=e2e authority" \
            -addext basicConstraints=critical,CA:TRUE -keyout "$folder/ca.key" -out "$SERVER_CA"
        openssl req -newkey rsa:2048 -nodes -subj "/CN=127.0.0.1" -keyout "$folder/server.key" -out "$folder/server.csr"
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n' >"$folder/ext"
        openssl x509 -req -in "$folder/server.csr" -CA "$SERVER_CA" -CAkey "$folder/ca.key" -CAcreateserial \
            -days 2 -extfile "$folder/ext" -out "$folder/server.pem"
    } >"$folder/openssl.log" 2>&1
}
