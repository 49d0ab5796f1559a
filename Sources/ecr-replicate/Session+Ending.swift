import Platform
import Replicate
import Reporting

extension Session {
    /// How the work of a command ended.
    enum Ending {
        case finished
        case failed(Failure)
        /// A signal ended the command; the failure is one that followed the signal.
        case interrupted(Termination.Signal, Failure? = nil)

        /// - Parameter signal: The first signal, if one arrived before the error.
        init(_ error: any Error, after signal: Termination.Signal?) {
            guard let signal else {
                self = .failed(Failure(error))
                return
            }
            // A cancellation isn't a failure.
            let isCancellation = error is CancellationError || error is Drained
            self = .interrupted(signal, isCancellation ? nil : Failure(error))
        }

        var failure: Failure? {
            switch self {
            case .finished: nil
            case .failed(let failure): failure
            case .interrupted(_, let failure): failure
            }
        }
    }

    /// The reason why the command failed as a whole.
    enum Failure {
        case copy(CopyError)
        /// The command couldn't be set up, for example because its CA bundle can't be read. The error names neither
        /// side nor image; its text includes the remedy, if there is one.
        case setUp(String)

        init(_ error: any Error) {
            if let error = error as? CopyError { self = .copy(error) } else { self = .setUp("\(error)") }
        }

        /// The failure as standard error shows it.
        var explanation: String {
            switch self {
            case .copy(let error): error.explanation
            case .setUp(let text): "could not start: \(text)"
            }
        }

        /// The failure as the JSON document shows it.
        func documented(for command: String) -> CopyDocument.Failure {
            switch self {
            case .copy(let error): CopyDocument.Failure(error)
            case .setUp(let text): CopyDocument.Failure(settingUp: command, text)
            }
        }

        var exitCode: Int32 {
            switch self {
            case .copy(let error): ExitStatus.of(error)
            case .setUp: ExitStatus.failed
            }
        }

        /// The failure as a command that copies nothing reports it.
        var ofReading: Failure {
            guard case .copy(var error) = self else { return self }
            error.onlyReads = true
            return .copy(error)
        }
    }
}
