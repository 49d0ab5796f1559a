import Content

@testable import ECREmulator

/// A repository, and a user and a role with policies for it.
protocol AccessScene {}

extension AccessScene {
    var pull: String {
        #"""
        {"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
        {"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:Describe*"],
        "Resource":"arn:aws:ecr:*:*:repository/team/*"}]}
        """#
    }

    var image: SeedImage { SeedImage.oci("app", layers: [10]) }
    var reader: EmulatorConfiguration.User { .init(account: account, name: "reader", policies: [pull]) }
    var idle: EmulatorConfiguration.User { .init(account: account, name: "idle", policies: []) }
    var stranger: EmulatorConfiguration.User { .init(account: otherAccount, name: "stranger", policies: [pull]) }
    var byTag: String { #"{"registryId":"\#(account)","repositoryName":"team/app","imageIds":[{"imageTag":"v1"}]}"# }

    func configuration() -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.users = [reader, idle, stranger]
        return configuration
    }

    func text(_ user: EmulatorConfiguration.User, _ action: String, _ reason: String) -> String {
        "User: \(user.arn) is not authorized to perform: ecr:\(action) on resource: "
            + "arn:aws:ecr:\(region):\(account):repository/team/app \(reason)"
    }

    func key(_ user: EmulatorConfiguration.User) -> (id: String, secret: String, token: String) {
        (user.accessKeyID, user.secretAccessKey, "")
    }
}
