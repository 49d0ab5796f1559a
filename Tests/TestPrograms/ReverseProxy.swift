/// An nginx in front of a registry, as in many installations.
public struct ReverseProxy: Sendable {
    /// Host and port, as in a reference.
    public let authority: String
    private let log: String

    init(authority: String, log: String) {
        (self.authority, self.log) = (authority, log)
    }

    /// The special behaviour of the proxy.
    public enum Habit: Sendable {
        /// Blobs are at another origin, which refuses requests with credentials, as S3 does.
        case redirectsBlobs
        /// Requests above ``requestsPerSecond`` are answered with 429.
        case limitsRequests
        /// The list of repositories is refused with this status, as by the public registries.
        case refusesCatalog(status: Int)
    }

    /// The rate is so low that even a slow machine exceeds it.
    public static let requestsPerSecond = 10

    /// Returns `STATUS METHOD PATH` for each answered request, in the order of the answers.
    public var requests: [String] {
        get throws {
            try String(decoding: contents(of: log), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// Opens two sockets, prints their ports, and starts nginx, which takes over open sockets as in an upgrade.
    ///
    /// A killed nginx would leave its worker running, so the worker gets a signal when its parent ends (prctl(2)).
    fileprivate static let script = """
        import ctypes, os, signal, socket, subprocess, sys
        nginx, folder, settings = sys.argv[1:]
        sockets = [socket.socket() for _ in range(2)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
        ports = [str(listener.getsockname()[1]) for listener in sockets]
        with open(folder + "/nginx.conf", "w") as file:
            file.write(settings.replace("@PROXY@", ports[0]).replace("@STORE@", ports[1]))
        numbers = [listener.fileno() for listener in sockets]
        os.environ["NGINX"] = "".join(f"{number};" for number in numbers)
        PR_SET_PDEATHSIG = 1
        child = subprocess.Popen(
            [nginx, "-e", "stderr", "-p", folder, "-c", folder + "/nginx.conf"], pass_fds=numbers,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        print("ports", *ports, flush=True)
        sys.exit(child.wait())
        """

    fileprivate static func settings(_ habit: Habit, in folder: String, before registry: RealRegistry) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        let blobs: String
        let limit: String
        switch habit {
        case .redirectsBlobs:
            blobs = """
                location ~ "^/v2/.*/blobs/sha256:" {
                    if ($request_method = GET) { return 307 http://127.0.0.1:@STORE@/bucket$request_uri?sig=s3cret; }
                    proxy_pass http://\(registry.authority);
                }
                """
            limit = ""
        case .limitsRequests:
            blobs = ""
            limit = "limit_req zone=all burst=2 nodelay; limit_req_status 429;"
        case .refusesCatalog(let status):
            blobs = "location = /v2/_catalog { return \(status); }"
            limit = ""
        }
        return """
            daemon off; worker_processes 1; pid \(folder)/nginx.pid;
            events { worker_connections 512; }
            http {
                \(temporary)
                log_format short '$status $request_method $uri';
                access_log \(folder)/access.log short;
                limit_req_zone $binary_remote_addr zone=all:1m rate=\(requestsPerSecond)r/s;
                client_max_body_size 0;
                proxy_request_buffering off;
                proxy_http_version 1.1;
                server {
                    listen 127.0.0.1:@PROXY@;
                    proxy_set_header Host $http_host;
                    \(limit)
                    location / { proxy_pass http://\(registry.authority); }
                    \(blobs)
                }
                server {
                    listen 127.0.0.1:@STORE@;
                    location /bucket/ {
                        if ($http_authorization) { return 400; }
                        if ($arg_sig != s3cret) { return 403; }
                        proxy_pass http://\(registry.authority)/;
                    }
                }
            }
            """
    }
}

/// Runs `body` while nginx runs in front of a registry, and stops nginx afterwards.
///
/// - Parameter directory: An existing directory, for this nginx only.
public func withReverseProxy<Result: Sendable>(
    _ habit: ReverseProxy.Habit,
    before registry: RealRegistry,
    in directory: String,
    _ body: (ReverseProxy) async throws -> Result
) async throws -> Result {
    guard let nginx = Program.nginx.path else { throw ChildError("nginx is not installed") }
    let settings = ReverseProxy.settings(habit, in: directory, before: registry)
    return try await withChild(.python, ["-S", "-c", ReverseProxy.script, nginx, directory, settings]) { child in
        let line = try await child.output.first { $0.hasPrefix("ports ") }
        let port = line.split(separator: " ")[1]
        return try await body(ReverseProxy(authority: "127.0.0.1:\(port)", log: "\(directory)/access.log"))
    }.result
}
