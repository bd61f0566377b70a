/** What each shell has to know: it asks dynpart, and takes the answer as text. Nothing of the answer or of the line is executed. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** Answers come a word a line, since no key holds a line's end; the first line says whether to offer files instead. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // The words are quoted by dynpart: bash puts them on the line as they are.
  bash: `# dynpart: completion for bash. In ~/.bashrc: eval "$(dynpart completion bash)"
_dynpart() {
  local line kind=
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$kind" ]; then kind=$line; else COMPREPLY+=("$line"); fi
  done < <(command dynpart completion offer bash -- "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  if [ "$kind" = files ]; then compopt -o default 2>/dev/null; fi
  return 0
}
complete -o nosort -F _dynpart dynpart 2>/dev/null || complete -F _dynpart dynpart
`,
  // zsh quotes what it inserts. (Q) takes quotes away and expands nothing. What would turn a terminal around is listed as escapes.
  zsh: `#compdef dynpart
# dynpart: completion for zsh. In ~/.zshrc, after compinit: eval "$(dynpart completion zsh)"
_dynpart() {
  local kind line
  local -a lines offers shown
  lines=("\${(@f)$(command dynpart completion offer words -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  kind=$lines[1]
  if [[ $kind = files ]]; then _files; return; fi
  for line in "\${(@)lines[2,-1]}"; do
    offers+=("\${line%%$'\\t'*}")
    shown+=("\${line#*$'\\t'}")
  done
  (( $#offers )) && compadd -V dynpart -l -d shown -a -- offers
}
if [ "$funcstack[1]" = _dynpart ]; then _dynpart "$@"; else compdef _dynpart dynpart; fi
`,
  // fish quotes what it inserts.
  fish: `# dynpart: completion for fish. In ~/.config/fish/config.fish: dynpart completion fish | source
function __dynpart_offers
    set -l before (commandline -opc)
    set -l current (string unescape -- (commandline -ct))
    set -e before[1]
    set -l lines (command dynpart completion offer words -- $before "$current" 2>/dev/null)
    if test "$lines[1]" = files
        __fish_complete_path "$current"
        return
    end
    set -e lines[1]
    for line in $lines
        string split -m 1 -f 1 -- \\t $line
    end
end
complete -c dynpart -f -k -a '(__dynpart_offers)'
`,
};
