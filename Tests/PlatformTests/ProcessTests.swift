import Glibc
import Testing

@testable import Platform

@Suite("Process facts")
struct ProcessFactsTests {
    @Test("name this program's executable")
    func executable() throws {
        let path = try #require(ProcessFacts.executablePath)
        #expect(path.hasPrefix("/"))
        #expect(access(path, X_OK) == 0)
        #expect(ProcessFacts.processID == getpid())
    }

    @Test("name the user like the system")
    func user() throws {
        let entry = getpwuid(ProcessFacts.userID)
        #expect(ProcessFacts.userName == entry.map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())")
    }

    @Test("name the machine like the kernel")
    func host() throws {
        let bytes = try #require(try DurableFile.read("/proc/sys/kernel/hostname", limit: 1_000))
        #expect(ProcessFacts.hostName + "\n" == String(decoding: bytes, as: UTF8.self))
    }

    @Test("count the memory that was used, in bytes")
    func memory() {
        let before = ProcessFacts.peakResidentByteCount
        #expect(before > 1 << 20)
        let touched = 256 << 20
        let block = [UInt8](repeating: 1, count: touched)
        #expect(block.last == 1)
        #expect(ProcessFacts.peakResidentByteCount >= touched)
        #expect(ProcessFacts.peakResidentByteCount < 64 << 30)
    }
}

@Suite("Environment variables")
struct EnvironmentVariablesTests {
    @Test("are those of this process")
    func current() {
        #expect(EnvironmentVariables.current["PATH"] == getenv("PATH").map { String(cString: $0) })
    }

    @Test("count as missing when empty, but are passed on")
    func empty() {
        let variables: EnvironmentVariables = ["A": "", "B": "b"]
        #expect(variables["A"] == nil)
        #expect(variables["B"] == "b")
        #expect(variables["C"] == nil)
        #expect(variables.all == ["A": "", "B": "b"])
    }

    @Test(
        "are split at the first equals sign",
        arguments: [("A=b", "A", "b"), ("A=", "A", ""), ("A=b=c==", "A", "b=c=="), ("A=ü\n", "A", "ü\n")]
    )
    func pairs(entry: String, name: String, value: String) throws {
        let pair = try #require(EnvironmentVariables.pair(of: entry))
        #expect(pair == (name, value))
    }

    @Test("without a name are left out", arguments: ["", "=x", "novalue"])
    func nameless(entry: String) {
        #expect(EnvironmentVariables.pair(of: entry) == nil)
    }
}

@Suite("Locks")
struct LockTests {
    @Test("admit one thread at a time")
    func exclusive() async {
        let count = Lock(0)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
            }
        }
        #expect(count.withLock { $0 } == 80_000)
    }

    @Test("are released after an error")
    func errors() {
        struct Refused: Error {}
        let lock = Lock(1)
        #expect(throws: Refused.self) { try lock.withLock { _ throws(Refused) in throw Refused() } }
        #expect(lock.withLock { $0 } == 1)
    }
}
