// The backend of the example, as small as a service can be: it says that it is well.
const http = require('node:http');

const port = Number(process.env.PORT || 7007);

http
  .createServer((request, response) => {
    response.writeHead(request.url === '/healthcheck' ? 200 : 404, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify({ status: request.url === '/healthcheck' ? 'ok' : 'not found' }));
  })
  .listen(port, () => console.log(`listening on ${port}`));
