// `upkeep completion`: a small script for each shell that asks `upkeep __complete` and knows nothing itself.

import { EXIT, usageError } from './exit.js';
import type { Verb } from './input.js';

export const completion: Verb = async ({ words }, ports) => {
  const shell = words[0] ?? '';
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) throw usageError(`there is no completion for ${shell}; there is for bash, zsh and fish`);
  await ports.terminal.out.write(script);
  return EXIT.done;
};

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# upkeep completion for bash: source <(upkeep completion bash), or put it into
# /etc/bash_completion.d/upkeep
_upkeep() {
  # Words end at blanks alone: readline ends them at an @ too, and the names of members have one.
  local line=\${COMP_LINE:0:COMP_POINT} words offers current=
  IFS=$' \\t' read -ra words <<< "$line"
  if [[ $line == *[[:blank:]] ]]; then words+=(''); else current=\${words[-1]}; fi
  local IFS=$'\\n'
  offers=$(upkeep __complete "\${words[@]:1}" 2>/dev/null)
  if [[ $offers == *:file* ]]; then
    compopt -o default 2>/dev/null
    offers=\${offers//:file/}
  fi
  COMPREPLY=($offers)
  # What stands before the @ stays as it is.
  if [[ $current == ?*@* && $COMP_WORDBREAKS == *@* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${current%@*}"}"); fi
}
complete -F _upkeep upkeep
`,
  zsh: `#compdef upkeep
# upkeep completion for zsh: put it into a directory of fpath as _upkeep, or
# source <(upkeep completion zsh) after compinit
_upkeep() {
  local -a offers
  offers=("\${(@f)$(upkeep __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${offers[(I):file]} )); then
    offers=("\${(@)offers:#:file}")
    _files
  fi
  offers=(\${offers:#})
  (( \${#offers} )) && compadd -- $offers
}
if [[ $funcstack[1] == _upkeep ]]; then _upkeep "$@"; else compdef _upkeep upkeep; fi
`,
  fish: `# upkeep completion for fish: upkeep completion fish > ~/.config/fish/completions/upkeep.fish
function __upkeep_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l offers (upkeep __complete $words[2..-1] 2>/dev/null)
    for offer in $offers
        if test "$offer" = ':file'
            __fish_complete_path (commandline -ct)
        else
            echo $offer
        end
    end
end
complete -c upkeep -f -a '(__upkeep_complete)'
`,
};
