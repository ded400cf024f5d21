"""An application that gets headers as CGI variables, and answers with them: application.py wsgi|cgi.

`wsgi` is Python's own wsgiref. `cgi` names variables as RFC 3875 section 4.1.18 lets a server do: whatever is no letter or digit
becomes an underscore, and what then has the same name is joined. It prints the address that it listens on.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from wsgiref.simple_server import WSGIRequestHandler, make_server


def said(variables):
    return json.dumps({name: value for name, value in variables.items() if name.startswith("HTTP_")}).encode()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [said(environ)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Cgi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        variables = {}
        for name, value in self.headers.items():
            name = "HTTP_" + re.sub("[^A-Z0-9]", "_", name.upper())
            variables[name] = f"{variables[name]},{value}" if name in variables else value
        body = said(variables)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if sys.argv[1] == "wsgi":
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
else:
    server = HTTPServer(("127.0.0.1", 0), Cgi)
print("%s:%d" % server.server_address[:2], flush=True)
server.serve_forever()
