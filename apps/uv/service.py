"""The example's second service: says which Python it runs on."""

import http.server
import platform


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"Python {platform.python_version()}\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
