function __ecr-replicate_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __ecr-replicate_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __ecr-replicate_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __ecr-replicate_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __ecr-replicate_parse_tokens -S
    set -l unparsed_tokens (__ecr-replicate_tokens -pc)
    switch $unparsed_tokens[1]
    case 'ecr-replicate'
        __ecr-replicate_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'retag'
            __ecr-replicate_parse_subcommand -r 2 'dry-run' 'if-exists=' 'if-current=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'version' 'h/help'
        case 'copy'
            __ecr-replicate_parse_subcommand -r 2 'tag=+' 'platform=+' 'all-tags' 'match=+' 'exclude=+' 'newest=' 'dry-run' 'if-exists=' 'if-current=' 'referrers=' 'create-repository=' 'repair' 'upload=' 'resumable-above=' 'state-dir=' 'jobs=' 'limit-rate=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'destination-profile=' 'destination-role-arn=' 'destination-external-id=' 'destination-session-name=' 'destination-endpoint-url=' 'destination-registry-endpoint=' 'destination-fips' 'destination-dual-stack' 'version' 'h/help'
        case 'promote'
            __ecr-replicate_parse_subcommand 2 'tag=+' 'dry-run' 'if-exists=' 'if-current=' 'referrers=' 'create-repository=' 'repair' 'upload=' 'resumable-above=' 'state-dir=' 'jobs=' 'limit-rate=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'destination-profile=' 'destination-role-arn=' 'destination-external-id=' 'destination-session-name=' 'destination-endpoint-url=' 'destination-registry-endpoint=' 'destination-fips' 'destination-dual-stack' 'version' 'h/help'
        case 'inspect'
            __ecr-replicate_parse_subcommand 1 'raw' 'referrers=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'version' 'h/help'
        case 'ls'
            __ecr-replicate_parse_subcommand 1 'match=+' 'exclude=+' 'newest=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'version' 'h/help'
        case 'doctor'
            __ecr-replicate_parse_subcommand 2 'referrers=' 'create-repository=' 'output=' 'progress=' 'log-level=' 'profile=' 'role-arn=' 'external-id=' 'session-name=' 'region=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'source-session-name=' 'source-endpoint-url=' 'source-registry-endpoint=' 'fips' 'dual-stack' 'source-fips' 'source-dual-stack' 'ca-bundle=' 'destination-profile=' 'destination-role-arn=' 'destination-external-id=' 'destination-session-name=' 'destination-endpoint-url=' 'destination-registry-endpoint=' 'destination-fips' 'destination-dual-stack' 'version' 'h/help'
        case 'iam-policy'
            __ecr-replicate_parse_subcommand -r 2 'only=' 'output=' 'with-optional' 'principal=' 'profile=' 'role-arn=' 'external-id=' 'source-profile=' 'source-role-arn=' 'source-external-id=' 'destination-profile=' 'destination-role-arn=' 'destination-external-id=' 'all-tags' 'match=+' 'exclude=+' 'newest=' 'upload=' 'create-repository=' 'kms-key=' 'version' 'h/help'
        case 'rules'
            __ecr-replicate_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'explain'
                __ecr-replicate_parse_subcommand -r 1 'f/file=' 'output=' 'tags=' 'version' 'h/help'
            case 'expand'
                __ecr-replicate_parse_subcommand 0 'f/file=' 'output=' 'show-values' 'version' 'h/help'
            case 'schema'
                __ecr-replicate_parse_subcommand 0 'version' 'h/help'
            end
        case 'emulator'
            __ecr-replicate_parse_subcommand 0 'port=' 'account=+' 'region=+' 'state-dir=' 'env-file=' 'fault=+' 'enforce-quotas' 'enforce-policies' 'seed=+' 'request-log=' 'discard-layers' 'version' 'h/help'
        case 'demo'
            __ecr-replicate_parse_subcommand 0 'version' 'h/help'
        case 'help'
            __ecr-replicate_parse_subcommand -r 1 'version'
        end
    end
end

function __ecr-replicate_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __ecr-replicate_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __ecr-replicate_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __ecr-replicate_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__ecr-replicate_tokens -p)
    if test -z "$(__ecr-replicate_tokens -t)"
        set -l index (count (__ecr-replicate_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'ecr-replicate' -f
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'retag' -d 'Add tags to an image in its own repository: no layer moves, and the digest stays the same.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'copy' -d 'Copy an image to another repository, region or account, byte for byte.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'promote' -d 'Copy an image to a production repository, and refuse to overwrite tags by default.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'inspect' -d 'Show what an image is: digest, media type, platforms or layers, and its referrers.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'ls' -d 'List a repository\'s tagged images, newest first, or a registry\'s repositories.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'doctor' -d 'Check everything a copy needs on both sides, and say what is missing.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'iam-policy' -d 'Print the minimum IAM policies for a copy.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'rules' -d 'Check a rule file, and see what it means, without sending a request.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'emulator' -d 'Run a local ECR with several accounts and regions, without an AWS account.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'demo' -d 'Start the emulator with one image, then retag, copy and promote it.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" dry-run' -l 'dry-run' -d 'Print the plan on standard output without changing anything.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" if-exists' -l 'if-exists' -d 'What to do if a tag holds another image.' -rfka 'move skip fail'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" if-current' -l 'if-current' -d 'Move a tag only if it currently holds this digest; a missing tag is refused.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate retag" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy"' -l 'tag' -d 'Another tag to set at the destination (repeatable).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy"' -l 'platform' -d 'The platform to copy: os/architecture[/variant][:os.version]. One platform is copied unchanged; several, with commas or repeated, are copied under a new index; all copies the index as it is.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" all-tags' -l 'all-tags' -d 'Copy every tagged image of the repository.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy"' -l 'match' -d 'Select only tags that match one of the patterns (repeatable): a glob with * ? [a-z] [!a-z] {a,b}, re:EXPRESSION for the whole tag, or semver:RANGE, which reads _ as + as Helm does.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy"' -l 'exclude' -d 'Leave out tags that match, even if --match selects them (repeatable; patterns as for --match).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" newest' -l 'newest' -d 'Select only the N images that were pushed last.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" dry-run' -l 'dry-run' -d 'Print the plan on standard output without changing anything.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" if-exists' -l 'if-exists' -d 'What to do if a tag holds another image.' -rfka 'move skip fail'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" if-current' -l 'if-current' -d 'Move a tag only if it currently holds this digest; a missing tag is refused.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" referrers' -l 'referrers' -d 'Whether to copy signatures, SBOMs and attestations.' -rfka 'all none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" create-repository' -l 'create-repository' -d 'What to do if the destination\'s repository is missing.' -rfka 'never defaults'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" repair' -l 'repair' -d 'Check that the destination has everything that its manifests name, and copy missing content.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" upload' -l 'upload' -d 'How layers are sent to ECR: auto sends large layers in parts, so that a killed run can resume; registry sends each layer whole; api sends every layer in parts.' -rfka 'auto registry api'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" resumable-above' -l 'resumable-above' -d 'Smallest layer that auto sends in parts, for example 500MB or 1GiB.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" state-dir' -l 'state-dir' -d 'Directory for the journal of unfinished uploads (default: $XDG_STATE_HOME/ecr-replicate or ~/.local/state/ecr-replicate).' -rfa '(__ecr-replicate_complete_directories)'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" jobs' -l 'jobs' -d 'Blobs to transfer at once, 1 to 64 (default: 8 large ones, of 4 MiB or more, and up to 32 in all).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" limit-rate' -l 'limit-rate' -d 'Maximum bytes per second for all blobs together, for example 50MB (10⁶) or 50MiB (2²⁰).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-profile' -l 'destination-profile' -d 'Profile for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-role-arn' -l 'destination-role-arn' -d 'Role for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-external-id' -l 'destination-external-id' -d 'External id for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-session-name' -l 'destination-session-name' -d 'Session name for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-endpoint-url' -l 'destination-endpoint-url' -d 'URL of the destination\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-registry-endpoint' -l 'destination-registry-endpoint' -d 'URL of the destination\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-fips' -l 'destination-fips' -d 'Use FIPS endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" destination-dual-stack' -l 'destination-dual-stack' -d 'Use dual-stack endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate copy" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote"' -l 'tag' -d 'Another tag to set at the destination (repeatable).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" dry-run' -l 'dry-run' -d 'Print the plan on standard output without changing anything.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" if-exists' -l 'if-exists' -d 'What to do if a tag holds another image.' -rfka 'move skip fail'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" if-current' -l 'if-current' -d 'Move a tag only if it currently holds this digest; a missing tag is refused.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" referrers' -l 'referrers' -d 'Whether to copy signatures, SBOMs and attestations.' -rfka 'all none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" create-repository' -l 'create-repository' -d 'What to do if the destination\'s repository is missing.' -rfka 'never defaults'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" repair' -l 'repair' -d 'Check that the destination has everything that its manifests name, and copy missing content.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" upload' -l 'upload' -d 'How layers are sent to ECR: auto sends large layers in parts, so that a killed run can resume; registry sends each layer whole; api sends every layer in parts.' -rfka 'auto registry api'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" resumable-above' -l 'resumable-above' -d 'Smallest layer that auto sends in parts, for example 500MB or 1GiB.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" state-dir' -l 'state-dir' -d 'Directory for the journal of unfinished uploads (default: $XDG_STATE_HOME/ecr-replicate or ~/.local/state/ecr-replicate).' -rfa '(__ecr-replicate_complete_directories)'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" jobs' -l 'jobs' -d 'Blobs to transfer at once, 1 to 64 (default: 8 large ones, of 4 MiB or more, and up to 32 in all).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" limit-rate' -l 'limit-rate' -d 'Maximum bytes per second for all blobs together, for example 50MB (10⁶) or 50MiB (2²⁰).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-profile' -l 'destination-profile' -d 'Profile for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-role-arn' -l 'destination-role-arn' -d 'Role for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-external-id' -l 'destination-external-id' -d 'External id for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-session-name' -l 'destination-session-name' -d 'Session name for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-endpoint-url' -l 'destination-endpoint-url' -d 'URL of the destination\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-registry-endpoint' -l 'destination-registry-endpoint' -d 'URL of the destination\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-fips' -l 'destination-fips' -d 'Use FIPS endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" destination-dual-stack' -l 'destination-dual-stack' -d 'Use dual-stack endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate promote" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" raw' -l 'raw' -d 'Print only the manifest, byte for byte.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" referrers' -l 'referrers' -d 'Whether to look for signatures, SBOMs and attestations.' -rfka 'all none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate inspect" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls"' -l 'match' -d 'Select only tags that match one of the patterns (repeatable): a glob with * ? [a-z] [!a-z] {a,b}, re:EXPRESSION for the whole tag, or semver:RANGE, which reads _ as + as Helm does.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls"' -l 'exclude' -d 'Leave out tags that match, even if --match selects them (repeatable; patterns as for --match).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" newest' -l 'newest' -d 'Select only the N images that were pushed last.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate ls" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" referrers' -l 'referrers' -d 'Whether the copy includes signatures, SBOMs and attestations.' -rfka 'all none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" create-repository' -l 'create-repository' -d 'What the copy does if the destination\'s repository is missing.' -rfka 'never defaults'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" output' -l 'output' -d 'Format of standard output: text lines, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" progress' -l 'progress' -d 'Progress on standard error; auto shows bars on a terminal and lines elsewhere.' -rfka 'auto bar plain json none'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" log-level' -l 'log-level' -d 'Lowest level of diagnostics on standard error; debug shows every API request.' -rfka 'trace debug info notice warning error critical'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" profile' -l 'profile' -d 'Profile in the shared AWS files, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" role-arn' -l 'role-arn' -d 'Role to assume, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" external-id' -l 'external-id' -d 'External id that the role\'s trust policy requires.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" session-name' -l 'session-name' -d 'Name of the role\'s session, as CloudTrail shows it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" region' -l 'region' -d 'Region for a REPO without a host.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-role-arn' -l 'source-role-arn' -d 'Role for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-session-name' -l 'source-session-name' -d 'Session name for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-endpoint-url' -l 'source-endpoint-url' -d 'URL of the source\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-registry-endpoint' -l 'source-registry-endpoint' -d 'URL of the source\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" fips' -l 'fips' -d 'Use AWS\'s FIPS endpoints, for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" dual-stack' -l 'dual-stack' -d 'Use AWS\'s dual-stack endpoints (IPv4 and IPv6), for every side.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-fips' -l 'source-fips' -d 'Use FIPS endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" source-dual-stack' -l 'source-dual-stack' -d 'Use dual-stack endpoints for the source.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" ca-bundle' -l 'ca-bundle' -d 'File of CA certificates to trust in addition to the system\'s (default: AWS_CA_BUNDLE).' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-profile' -l 'destination-profile' -d 'Profile for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-role-arn' -l 'destination-role-arn' -d 'Role for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-external-id' -l 'destination-external-id' -d 'External id for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-session-name' -l 'destination-session-name' -d 'Session name for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-endpoint-url' -l 'destination-endpoint-url' -d 'URL of the destination\'s ECR API.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-registry-endpoint' -l 'destination-registry-endpoint' -d 'URL of the destination\'s registry, for PrivateLink.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-fips' -l 'destination-fips' -d 'Use FIPS endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" destination-dual-stack' -l 'destination-dual-stack' -d 'Use dual-stack endpoints for the destination.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate doctor" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" only' -l 'only' -d 'Print only this policy; add -2 for the second of its kind.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" output' -l 'output' -d 'Format of standard output: policies under comments, or one JSON document.' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" with-optional' -l 'with-optional' -d 'Include optional permissions; without them a copy works, but may take longer or report less.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" principal' -l 'principal' -d 'The identity that copies or assumes the roles: a role, a role session, a user or an account\'s root.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" profile' -l 'profile' -d 'Profile whose roles are assumed, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" role-arn' -l 'role-arn' -d 'Role that copies, for every side.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" external-id' -l 'external-id' -d 'External id to send for the role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" source-profile' -l 'source-profile' -d 'Profile for the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" source-role-arn' -l 'source-role-arn' -d 'Role that reads the source.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" source-external-id' -l 'source-external-id' -d 'External id for the source\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" destination-profile' -l 'destination-profile' -d 'Profile for the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" destination-role-arn' -l 'destination-role-arn' -d 'Role that writes to the destination.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" destination-external-id' -l 'destination-external-id' -d 'External id for the destination\'s role.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" all-tags' -l 'all-tags' -d 'For a copy of all tags; --match, --exclude and --newest have the same effect.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy"' -l 'match' -d 'Select only tags that match one of the patterns (repeatable): a glob with * ? [a-z] [!a-z] {a,b}, re:EXPRESSION for the whole tag, or semver:RANGE, which reads _ as + as Helm does.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy"' -l 'exclude' -d 'Leave out tags that match, even if --match selects them (repeatable; patterns as for --match).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" newest' -l 'newest' -d 'Select only the N images that were pushed last.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" upload' -l 'upload' -d 'How layers are sent to ECR.' -rfka 'auto registry api'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" create-repository' -l 'create-repository' -d 'Whether to create a missing repository.' -rfka 'never defaults'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" kms-key' -l 'kms-key' -d 'KMS key of the repository to create; adds the KMS permissions for it.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate iam-policy" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate rules" -eq 1' -fa 'explain' -d 'Show which tags of a list each rule selects, and why it leaves out the others.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate rules" -eq 1' -fa 'expand' -d 'Print a rule file with its defaults written into every rule.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_positional "ecr-replicate rules" -eq 1' -fa 'schema' -d 'Print the JSON Schema of rule files, for editors.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules explain" f file' -s 'f' -l 'file' -d 'The rule file in YAML; - for standard input.' -rfa '(set -l exts \'yaml\' \'yml\';for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.{$exts};printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules explain" output' -l 'output' -d 'Format of standard output: text, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules explain" tags' -l 'tags' -d 'The list of tags; - for standard input.' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules explain" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules explain" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules expand" f file' -s 'f' -l 'file' -d 'The rule file in YAML; - for standard input.' -rfa '(set -l exts \'yaml\' \'yml\';for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.{$exts};printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules expand" output' -l 'output' -d 'Format of standard output: text, or one JSON document (also on failure).' -rfka 'text json'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules expand" show-values' -l 'show-values' -d 'Replace variables by their values.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules expand" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules expand" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules schema" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate rules schema" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" port' -l 'port' -d 'The main port; 0 picks a free one.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator"' -l 'account' -d 'An account (repeatable; default: two), with its partition unless it is that of the first region.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator"' -l 'region' -d 'A region (repeatable; default: us-east-1 and eu-west-1).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" state-dir' -l 'state-dir' -d 'Directory that keeps repositories and images between runs.' -rfa '(__ecr-replicate_complete_directories)'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" env-file' -l 'env-file' -d 'Also write the export lines to this file, once the emulator is ready.' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator"' -l 'fault' -d 'A fault to inject (repeatable).' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" enforce-quotas' -l 'enforce-quotas' -d 'Throttle requests above ECR\'s default quotas, such as 10 PutImage per second.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" enforce-policies' -l 'enforce-policies' -d 'Isolate the accounts: access to another account\'s repository needs a policy that allows it.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator"' -l 'seed' -d 'An image to start with, in the first account and region (repeatable): a small image for two platforms, or with =COUNTxSIZE an image with generated layers, for example team/app:v1=8x128MiB.' -rfka ''
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" request-log' -l 'request-log' -d 'File to which a line is appended for each request: number, API, operation, status, registry, repository, error, caller.' -rF
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" discard-layers' -l 'discard-layers' -d 'Hash pushed layers and discard them, for benchmarks.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate emulator" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate demo" version' -l 'version' -d 'Show the version.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate demo" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'ecr-replicate' -n '__ecr-replicate_should_offer_completions_for_flags_or_options "ecr-replicate help" version' -l 'version' -d 'Show the version.'
