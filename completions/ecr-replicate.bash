#!/bin/bash

__ecr-replicate_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__ecr-replicate_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__ecr-replicate_add_completions() {
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

__ecr-replicate_custom_complete() {
    if [[ -n "${cur}" || -z ${COMP_WORDS[${COMP_CWORD}]} || "${COMP_LINE:${COMP_POINT}:1}" != ' ' ]]; then
        local -ar words=("${COMP_WORDS[@]}")
    else
        local -ar words=("${COMP_WORDS[@]::${COMP_CWORD}}" '' "${COMP_WORDS[@]:${COMP_CWORD}}")
    fi

    "${COMP_WORDS[0]}" "${@}" "${words[@]}"
}

_ecr-replicate() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local -r cur="${2}"
    local -r prev="${3}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--version -h --help)
    local -a repeating_options=()
    local -a non_repeating_options=()
    __ecr-replicate_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    retag|copy|promote|history|undo|plan|sync|verify|inspect|ls|doctor|iam-policy|rules|emulator|demo|help)
        # Offer subcommand argument completions
        "_ecr-replicate_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'retag copy promote history undo plan sync verify inspect ls doctor iam-policy rules emulator demo help' -- "${cur}"))
        ;;
    esac
}

_ecr-replicate_retag() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --fips --dual-stack --source-fips --source-dual-stack --version -h --help)
    repeating_options=()
    non_repeating_options=(--if-exists --if-current --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--if-exists')
        __ecr-replicate_add_completions -W 'move'$'\n''skip'$'\n''fail'
        return
        ;;
    '--if-current')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_copy() {
    repeating_flags=()
    non_repeating_flags=(--all-tags --dry-run --repair --fips --dual-stack --source-fips --source-dual-stack --destination-fips --destination-dual-stack --version -h --help)
    repeating_options=(--tag --platform --match --exclude --kms-key)
    non_repeating_options=(--newest --if-exists --if-current --referrers --create-repository --upload --resumable-above --state-dir --jobs --limit-rate --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle --destination-profile --destination-role-arn --destination-external-id --destination-session-name --destination-endpoint-url --destination-registry-endpoint)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--tag')
        return
        ;;
    '--platform')
        return
        ;;
    '--match')
        return
        ;;
    '--exclude')
        return
        ;;
    '--newest')
        return
        ;;
    '--if-exists')
        __ecr-replicate_add_completions -W 'move'$'\n''skip'$'\n''fail'
        return
        ;;
    '--if-current')
        return
        ;;
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--kms-key')
        return
        ;;
    '--upload')
        __ecr-replicate_add_completions -W 'auto'$'\n''registry'$'\n''api'
        return
        ;;
    '--resumable-above')
        return
        ;;
    '--state-dir')
        __ecr-replicate_add_completions -d
        return
        ;;
    '--jobs')
        return
        ;;
    '--limit-rate')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--destination-session-name')
        return
        ;;
    '--destination-endpoint-url')
        return
        ;;
    '--destination-registry-endpoint')
        return
        ;;
    esac
}

_ecr-replicate_promote() {
    repeating_flags=()
    non_repeating_flags=(--each-image --require-immutable-tag --record --no-record --dry-run --repair --fips --dual-stack --source-fips --source-dual-stack --destination-fips --destination-dual-stack --version -h --help)
    repeating_options=(--tag --ignore --require-signature --signer-identity --require-attestation --approved --approved-key --require-platform --gate-command --kms-key)
    non_repeating_options=(-f --file --max-severity --scan-not-older-than --wait-scan --provenance-builder --provenance-source --min-age --gate-command-timeout --sign-record --reason --if-exists --if-current --referrers --create-repository --upload --resumable-above --state-dir --jobs --limit-rate --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle --destination-profile --destination-role-arn --destination-external-id --destination-session-name --destination-endpoint-url --destination-registry-endpoint)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--tag')
        return
        ;;
    '--max-severity')
        __ecr-replicate_add_completions -W 'CRITICAL'$'\n''HIGH'$'\n''MEDIUM'$'\n''LOW'$'\n''INFORMATIONAL'
        return
        ;;
    '--ignore')
        return
        ;;
    '--scan-not-older-than')
        return
        ;;
    '--wait-scan')
        return
        ;;
    '--require-signature')
        return
        ;;
    '--signer-identity')
        return
        ;;
    '--require-attestation')
        return
        ;;
    '--provenance-builder')
        return
        ;;
    '--provenance-source')
        return
        ;;
    '--min-age')
        return
        ;;
    '--approved')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--approved-key')
        return
        ;;
    '--require-platform')
        return
        ;;
    '--gate-command')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--gate-command-timeout')
        return
        ;;
    '--sign-record')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--reason')
        return
        ;;
    '--if-exists')
        __ecr-replicate_add_completions -W 'move'$'\n''skip'$'\n''fail'
        return
        ;;
    '--if-current')
        return
        ;;
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--kms-key')
        return
        ;;
    '--upload')
        __ecr-replicate_add_completions -W 'auto'$'\n''registry'$'\n''api'
        return
        ;;
    '--resumable-above')
        return
        ;;
    '--state-dir')
        __ecr-replicate_add_completions -d
        return
        ;;
    '--jobs')
        return
        ;;
    '--limit-rate')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--destination-session-name')
        return
        ;;
    '--destination-endpoint-url')
        return
        ;;
    '--destination-registry-endpoint')
        return
        ;;
    esac
}

_ecr-replicate_history() {
    repeating_flags=()
    non_repeating_flags=(--fips --dual-stack --source-fips --source-dual-stack --version -h --help)
    repeating_options=(--key)
    non_repeating_options=(--output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle)
    __ecr-replicate_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--key')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_undo() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --record --no-record --fips --dual-stack --source-fips --source-dual-stack --version -h --help)
    repeating_options=(--key)
    non_repeating_options=(--sign-record --reason --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle)
    __ecr-replicate_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--key')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--sign-record')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--reason')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_plan() {
    repeating_flags=()
    non_repeating_flags=(--quick --all-tags --fips --dual-stack --source-fips --source-dual-stack --destination-fips --destination-dual-stack --version -h --help)
    repeating_options=(--match --exclude --price)
    non_repeating_options=(-f --file --out --newest --transfer-rate --if-exists --referrers --create-repository --output --progress --log-level --report --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle --destination-profile --destination-role-arn --destination-external-id --destination-session-name --destination-endpoint-url --destination-registry-endpoint)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--out')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--match')
        return
        ;;
    '--exclude')
        return
        ;;
    '--newest')
        return
        ;;
    '--transfer-rate')
        return
        ;;
    '--price')
        return
        ;;
    '--if-exists')
        __ecr-replicate_add_completions -W 'move'$'\n''skip'$'\n''fail'
        return
        ;;
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--report')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(html)'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--destination-session-name')
        return
        ;;
    '--destination-endpoint-url')
        return
        ;;
    '--destination-registry-endpoint')
        return
        ;;
    esac
}

_ecr-replicate_sync() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=(-f --file --plan --max-age --watch --upload --resumable-above --state-dir --jobs --limit-rate --output --progress --log-level --report --ca-bundle)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--plan')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--max-age')
        return
        ;;
    '--watch')
        return
        ;;
    '--upload')
        __ecr-replicate_add_completions -W 'auto'$'\n''registry'$'\n''api'
        return
        ;;
    '--resumable-above')
        return
        ;;
    '--state-dir')
        __ecr-replicate_add_completions -d
        return
        ;;
    '--jobs')
        return
        ;;
    '--limit-rate')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--report')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(html)'
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_verify() {
    repeating_flags=()
    non_repeating_flags=(--deep --repair --all-tags --fips --dual-stack --source-fips --source-dual-stack --destination-fips --destination-dual-stack --version -h --help)
    repeating_options=(--match --exclude --platform)
    non_repeating_options=(-f --file --newest --if-exists --referrers --create-repository --upload --resumable-above --state-dir --jobs --limit-rate --output --progress --log-level --report --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle --destination-profile --destination-role-arn --destination-external-id --destination-session-name --destination-endpoint-url --destination-registry-endpoint)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--match')
        return
        ;;
    '--exclude')
        return
        ;;
    '--newest')
        return
        ;;
    '--platform')
        return
        ;;
    '--if-exists')
        __ecr-replicate_add_completions -W 'move'$'\n''skip'$'\n''fail'
        return
        ;;
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--upload')
        __ecr-replicate_add_completions -W 'auto'$'\n''registry'$'\n''api'
        return
        ;;
    '--resumable-above')
        return
        ;;
    '--state-dir')
        __ecr-replicate_add_completions -d
        return
        ;;
    '--jobs')
        return
        ;;
    '--limit-rate')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--report')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(html)'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--destination-session-name')
        return
        ;;
    '--destination-endpoint-url')
        return
        ;;
    '--destination-registry-endpoint')
        return
        ;;
    esac
}

_ecr-replicate_inspect() {
    repeating_flags=()
    non_repeating_flags=(--raw --fips --dual-stack --source-fips --source-dual-stack --version -h --help)
    repeating_options=()
    non_repeating_options=(--referrers --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle)
    __ecr-replicate_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_ls() {
    repeating_flags=()
    non_repeating_flags=(--fips --dual-stack --source-fips --source-dual-stack --version -h --help)
    repeating_options=(--match --exclude)
    non_repeating_options=(--newest --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle)
    __ecr-replicate_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--match')
        return
        ;;
    '--exclude')
        return
        ;;
    '--newest')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_doctor() {
    repeating_flags=()
    non_repeating_flags=(--each-image --require-immutable-tag --fips --dual-stack --source-fips --source-dual-stack --destination-fips --destination-dual-stack --version -h --help)
    repeating_options=(--kms-key --ignore --require-signature --signer-identity --require-attestation --approved --approved-key --require-platform --gate-command)
    non_repeating_options=(-f --file --referrers --create-repository --max-severity --scan-not-older-than --wait-scan --provenance-builder --provenance-source --min-age --gate-command-timeout --output --progress --log-level --profile --role-arn --external-id --session-name --region --source-profile --source-role-arn --source-external-id --source-session-name --source-endpoint-url --source-registry-endpoint --ca-bundle --destination-profile --destination-role-arn --destination-external-id --destination-session-name --destination-endpoint-url --destination-registry-endpoint)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--referrers')
        __ecr-replicate_add_completions -W 'all'$'\n''none'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--kms-key')
        return
        ;;
    '--max-severity')
        __ecr-replicate_add_completions -W 'CRITICAL'$'\n''HIGH'$'\n''MEDIUM'$'\n''LOW'$'\n''INFORMATIONAL'
        return
        ;;
    '--ignore')
        return
        ;;
    '--scan-not-older-than')
        return
        ;;
    '--wait-scan')
        return
        ;;
    '--require-signature')
        return
        ;;
    '--signer-identity')
        return
        ;;
    '--require-attestation')
        return
        ;;
    '--provenance-builder')
        return
        ;;
    '--provenance-source')
        return
        ;;
    '--min-age')
        return
        ;;
    '--approved')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--approved-key')
        return
        ;;
    '--require-platform')
        return
        ;;
    '--gate-command')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--gate-command-timeout')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--progress')
        __ecr-replicate_add_completions -W 'auto'$'\n''bar'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    '--log-level')
        __ecr-replicate_add_completions -W 'trace'$'\n''debug'$'\n''info'$'\n''notice'$'\n''warning'$'\n''error'$'\n''critical'
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--session-name')
        return
        ;;
    '--region')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--source-session-name')
        return
        ;;
    '--source-endpoint-url')
        return
        ;;
    '--source-registry-endpoint')
        return
        ;;
    '--ca-bundle')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--destination-session-name')
        return
        ;;
    '--destination-endpoint-url')
        return
        ;;
    '--destination-registry-endpoint')
        return
        ;;
    esac
}

_ecr-replicate_iam-policy() {
    repeating_flags=()
    non_repeating_flags=(--with-optional --all-tags --each-image --require-immutable-tag --version -h --help)
    repeating_options=(--principal --match --exclude --kms-key --ignore --require-signature --signer-identity --require-attestation --approved --approved-key --require-platform --gate-command)
    non_repeating_options=(-f --file --only --output --profile --role-arn --external-id --source-profile --source-role-arn --source-external-id --destination-profile --destination-role-arn --destination-external-id --newest --upload --create-repository --max-severity --scan-not-older-than --wait-scan --provenance-builder --provenance-source --min-age --gate-command-timeout --sign-record)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--only')
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--principal')
        return
        ;;
    '--profile')
        return
        ;;
    '--role-arn')
        return
        ;;
    '--external-id')
        return
        ;;
    '--source-profile')
        return
        ;;
    '--source-role-arn')
        return
        ;;
    '--source-external-id')
        return
        ;;
    '--destination-profile')
        return
        ;;
    '--destination-role-arn')
        return
        ;;
    '--destination-external-id')
        return
        ;;
    '--match')
        return
        ;;
    '--exclude')
        return
        ;;
    '--newest')
        return
        ;;
    '--upload')
        __ecr-replicate_add_completions -W 'auto'$'\n''registry'$'\n''api'
        return
        ;;
    '--create-repository')
        __ecr-replicate_add_completions -W 'never'$'\n''defaults'$'\n''like-source'
        return
        ;;
    '--kms-key')
        return
        ;;
    '--max-severity')
        __ecr-replicate_add_completions -W 'CRITICAL'$'\n''HIGH'$'\n''MEDIUM'$'\n''LOW'$'\n''INFORMATIONAL'
        return
        ;;
    '--ignore')
        return
        ;;
    '--scan-not-older-than')
        return
        ;;
    '--wait-scan')
        return
        ;;
    '--require-signature')
        return
        ;;
    '--signer-identity')
        return
        ;;
    '--require-attestation')
        return
        ;;
    '--provenance-builder')
        return
        ;;
    '--provenance-source')
        return
        ;;
    '--min-age')
        return
        ;;
    '--approved')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--approved-key')
        return
        ;;
    '--require-platform')
        return
        ;;
    '--gate-command')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--gate-command-timeout')
        return
        ;;
    '--sign-record')
        return
        ;;
    esac
}

_ecr-replicate_rules() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ecr-replicate_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    explain|expand|schema|import)
        # Offer subcommand argument completions
        "_ecr-replicate_rules_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'explain expand schema import' -- "${cur}"))
        ;;
    esac
}

_ecr-replicate_rules_explain() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=(-f --file --output --tags)
    __ecr-replicate_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--tags')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_rules_expand() {
    repeating_flags=()
    non_repeating_flags=(--show-values --version -h --help)
    repeating_options=()
    non_repeating_options=(-f --file --output)
    __ecr-replicate_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-f'|'--file')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml)'
        return
        ;;
    '--output')
        __ecr-replicate_add_completions -W 'text'$'\n''json'
        return
        ;;
    esac
}

_ecr-replicate_rules_schema() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ecr-replicate_offer_flags_options 0
}

_ecr-replicate_rules_import() {
    repeating_flags=()
    non_repeating_flags=(--scoped --version -h --help)
    repeating_options=()
    non_repeating_options=(--from --to --append-suffix --region --account)
    __ecr-replicate_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--from')
        __ecr-replicate_add_completions -W 'regsync'$'\n''skopeo'$'\n''ecr-replication'
        return
        ;;
    '--to')
        return
        ;;
    '--append-suffix')
        return
        ;;
    '--region')
        return
        ;;
    '--account')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(yaml|yml|json)'
        return
        ;;
    esac
}

_ecr-replicate_emulator() {
    repeating_flags=()
    non_repeating_flags=(--enforce-quotas --enforce-policies --discard-layers --version -h --help)
    repeating_options=(--account --region --fault --seed --seed-many)
    non_repeating_options=(--port --state-dir --env-file --seed-scans --request-log)
    __ecr-replicate_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--port')
        return
        ;;
    '--account')
        return
        ;;
    '--region')
        return
        ;;
    '--state-dir')
        __ecr-replicate_add_completions -d
        return
        ;;
    '--env-file')
        __ecr-replicate_add_completions -f
        return
        ;;
    '--fault')
        return
        ;;
    '--seed')
        return
        ;;
    '--seed-many')
        return
        ;;
    '--seed-scans')
        __ecr-replicate_add_completions -o plusdirs -fX '!*.@(json)'
        return
        ;;
    '--request-log')
        __ecr-replicate_add_completions -f
        return
        ;;
    esac
}

_ecr-replicate_demo() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ecr-replicate_offer_flags_options 0
}

_ecr-replicate_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=()
    __ecr-replicate_offer_flags_options -1
}

complete -o filenames -F _ecr-replicate ecr-replicate
