/// An nginx in front of a registry, as many people have one.
public struct FrontDoor: Sendable {
    /// Host and port, as clients write them.
    public let authority: String
    private let log: String

    init(authority: String, log: String) {
        (self.authority, self.log) = (authority, log)
    }

    /// What it does besides passing on.
    public enum Habit: Sendable {
        /// Blobs are at another origin, which refuses whoever comes with credentials, as S3 does.
        case redirectsBlobs
        /// More than ``requestsPerSecond`` are answered with 429.
        case limitsRequests
    }

    /// Few enough that even a slow machine asks for more at once.
    public static let requestsPerSecond = 10

    /// `STATUS METHOD PATH` for each request that was answered, in the order of the answers.
    public var requests: [String] {
        get throws {
            try String(decoding: contents(of: log), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// Opens two sockets, tells their ports, and starts nginx, which takes open sockets over as for an upgrade.
    ///
    /// A killed nginx would leave its worker behind: it is told to end when this one's end comes (prctl(2)).
    fileprivate static let script = """
        import ctypes, os, signal, socket, subprocess, sys
        nginx, folder, settings = sys.argv[1:]
        doors = [socket.socket() for _ in range(2)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
            door.listen(128)
        ports = [str(door.getsockname()[1]) for door in doors]
        with open(folder + "/nginx.conf", "w") as file:
            file.write(settings.replace("@DOOR@", ports[0]).replace("@STORE@", ports[1]))
        numbers = [door.fileno() for door in doors]
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
                    listen 127.0.0.1:@DOOR@;
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

/// Runs `body` while nginx stands before a registry; it is ended afterwards.
///
/// - Parameter directory: Exists, and is this nginx's alone.
public func withFrontDoor<Result: Sendable>(
    _ habit: FrontDoor.Habit,
    before registry: RealRegistry,
    in directory: String,
    _ body: (FrontDoor) async throws -> Result
) async throws -> Result {
    guard let nginx = Program.nginx.path else { throw ChildError("nginx is not installed") }
    let settings = FrontDoor.settings(habit, in: directory, before: registry)
    return try await withChild(.python, ["-S", "-c", FrontDoor.script, nginx, directory, settings]) { child in
        let line = try await child.output.first { $0.hasPrefix("ports ") }
        let port = line.split(separator: " ")[1]
        return try await body(FrontDoor(authority: "127.0.0.1:\(port)", log: "\(directory)/access.log"))
    }.result
}
