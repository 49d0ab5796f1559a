import Content
import Testing

@Suite("Byte counts")
struct ByteCountTests {
    @Test(
        "are written with three digits",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"),
            (999_500, "1.0 MB"), (1_234_567, "1.2 MB"), (5_000_000_000, "5.0 GB"), (2_000_000_000_000_000, "2000 TB"),
        ] as [(Int64, String)]
    )
    func shown(_ count: Int64, _ text: String) { #expect(ByteCount(count).description == text) }

    @Test(
        "are parsed with decimal and binary units, in any case",
        arguments: [
            ("0", 0), ("1", 1), ("42B", 42), ("1kB", 1_000), ("50MB", 50_000_000), ("1gb", 1_000_000_000),
            ("2TB", 2_000_000_000_000), ("1KiB", 1_024), ("10MiB", 10_485_760), ("1GiB", 1_073_741_824),
            ("1tib", 1_099_511_627_776), ("1.5GiB", 1_610_612_736), ("0.25kB", 250), ("007", 7),
            ("9223372036854775807", .max), ("0.000001TB", 1_000_000),
        ] as [(String, Int64)]
    )
    func read(_ text: String, _ count: Int64) throws {
        #expect(try ByteCount(parsing: text).bytes == count)
    }

    @Test(
        "are refused in any other form",
        arguments: [
            "", "B", "MB", "-1", "+1", "1 MB", " 1", "1M", "1G", "1e9", "1,5GB", "1.MB", ".5MB", "1.2.3MB", "1.5",
            "0.0001kB", "0.1KiB", "1.0000000GB", "0x10", "1PB", "9223372036854775808", "9223372036854775807kB",
            "8388608TiB", "8388607.999999TiB", "١", "1\u{FE0F}\u{20E3}", "1MB\n",
        ]
    )
    func refused(_ text: String) {
        let error = #expect(throws: MalformedByteCount.self) { try ByteCount(parsing: text) }
        #expect(error?.description.contains("GiB") == true)
    }
}
