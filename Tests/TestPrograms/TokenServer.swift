/// A server that issues tokens for a docker-registry, by docker's specification.
///
/// ``RealRegistry/user`` with ``RealRegistry/password`` or ``refreshToken`` gets every requested access. Other callers
/// may pull from `public/`.
public struct TokenServer: Sendable {
    /// The URL that issues tokens.
    public let realm: String
    /// The certificate of the key that signs them.
    public let certificate: Certificate
    private let child: Child

    public static let refreshToken = "refresh-me-please"

    init(realm: String, certificate: Certificate, child: Child) {
        (self.realm, self.certificate, self.child) = (realm, certificate, child)
    }

    /// A line for each issued token: the user, the method, and the access.
    public var grants: [String] {
        String(decoding: child.errors.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("granted ") }
    }

    /// Python's standard library can't sign, so openssl does.
    fileprivate static let script = """
        import base64, http.server, json, subprocess, sys, time, urllib.parse
        key, certificate, service, user, password, refresh = sys.argv[1:]

        def b64(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        der = "".join(open(certificate).read().split("-----")[2].split())

        def token(account, access):
            now = int(time.time())
            header = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
            claims = {"iss": service, "sub": account, "aud": service, "exp": now + 120, "nbf": now - 10,
                      "iat": now, "jti": str(time.time_ns()), "access": access}
            signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=signed.encode(),
                                       stdout=subprocess.PIPE, check=True).stdout
            return signed + "." + b64(signature)

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_): pass

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def grant(self, how, account, scopes, name):
                access = []
                for scope in scopes:
                    kind, resource, actions = scope.split(":")
                    allowed = actions.split(",") if account else ["pull"] if resource.startswith("public/") else []
                    if allowed:
                        access.append({"type": kind, "name": resource, "actions": allowed})
                print("granted", account or "a stranger", how, *scopes, file=sys.stderr, flush=True)
                self.answer(200, {name: token(account, access), "expires_in": 120})

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                shown = self.headers.get("Authorization")
                wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
                if query.get("service") != [service]:
                    return self.answer(400, {"errors": [{"code": "DENIED", "message": "unknown service"}]})
                if shown not in (None, wanted):
                    return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
                self.grant("by password" if shown else "freely", user if shown else "", query.get("scope", []), "token")

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if form.get("grant_type") != ["refresh_token"] or form.get("refresh_token") != [refresh]:
                    return self.answer(400, {"error": "invalid_grant"})
                scopes = form.get("scope", [""])[0].split()
                self.grant("by refresh token", user, scopes, "access_token")

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print("port", server.server_port, flush=True)
        server.serve_forever()
        """
}

/// Runs `body` while a token server runs, and stops it afterwards.
///
/// - Parameter directory: An existing directory, for this server only.
public func withTokenServer<Result: Sendable>(
    in directory: String,
    _ body: (TokenServer) async throws -> Result
) async throws -> Result {
    // docker-registry knows RS256, and openssl makes such signatures in the form that a token needs.
    let certificate = try await Certificate.make(in: directory, key: ["rsa:2048"])
    let arguments = [
        "-S", "-c", TokenServer.script, certificate.key, certificate.file, RealRegistry.service, RealRegistry.user,
        RealRegistry.password, TokenServer.refreshToken,
    ]
    return try await withChild(.python, arguments) { child in
        let line = try await child.output.first { $0.hasPrefix("port ") }
        let realm = "http://127.0.0.1:\(line.dropFirst("port ".count))/token"
        return try await body(TokenServer(realm: realm, certificate: certificate, child: child))
    }.result
}
