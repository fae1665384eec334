
# `PARENT ab …` is completed as `ab …`; any other command of PARENT as before.
_comp_load PARENT 2>/dev/null || _completion_loader PARENT 2>/dev/null
_PARENT_before_ab=$(complete -p PARENT 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
_PARENT_or_ab() {
    if [[ ${COMP_CWORD} -gt 1 && ${COMP_WORDS[1]} == ab ]]; then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _ab ab "$2" "$3"
    elif [[ -n ${_PARENT_before_ab} ]]; then
        "${_PARENT_before_ab}" "$@"
    else
        COMPREPLY=($([[ ${COMP_CWORD} -eq 1 ]] && compgen -W ab -- "$2"))
    fi
}
complete -F _PARENT_or_ab -o bashdefault -o default PARENT
