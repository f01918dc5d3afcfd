"""The languages that are highlighted: the names that models write behind a fence, Pygments' lexer, and the label.

A lexer is a set of patterns that run over text of a model, so that only lexers whose time was measured on hostile text
are listed (`tests/arena/web/markdown/test_code_blocks.py`).
"""

from __future__ import annotations

_NAMES = """
bash bash sh shell zsh console-session : Shell
c c h : C
cpp cpp c++ cc cxx hpp : C++
csharp csharp c# cs : C#
clojure clojure clj : Clojure
cmake cmake : CMake
css css : CSS
dart dart : Dart
diff diff patch : Diff
docker dockerfile docker : Dockerfile
elixir elixir ex exs : Elixir
erlang erlang erl : Erlang
fsharp fsharp f# : F#
fortran fortran f90 : Fortran
go go golang : Go
graphql graphql gql : GraphQL
groovy groovy gradle : Groovy
haskell haskell hs : Haskell
html html htm xhtml : HTML
ini ini cfg conf properties : INI
java java : Java
javascript javascript js mjs cjs jsx node : JavaScript
json json jsonl json5 jsonc : JSON
julia julia jl : Julia
kotlin kotlin kt kts : Kotlin
latex latex tex : LaTeX
lua lua : Lua
make makefile make mk : Makefile
matlab matlab octave : MATLAB
nginx nginx : nginx
objective-c objectivec objective-c objc : Objective-C
ocaml ocaml ml : OCaml
perl perl pl : Perl
php php : PHP
powershell powershell ps1 pwsh : PowerShell
protobuf protobuf proto : Protocol Buffers
python python py python3 py3 pytb : Python
r r rlang : R
ruby ruby rb : Ruby
rust rust rs : Rust
scala scala : Scala
scss scss sass less : SCSS
sql sql mysql postgresql postgres sqlite plsql tsql : SQL
swift swift : Swift
terraform terraform hcl tf : Terraform
toml toml : TOML
typescript typescript ts tsx : TypeScript
vim vim viml : Vim script
xml xml svg xsl : XML
yaml yaml yml : YAML
zig zig : Zig
"""


def _languages() -> dict[str, tuple[str, str]]:
    found = {}
    for line in _NAMES.strip().splitlines():
        names, _, label = line.partition(" : ")
        lexer, *aliases = names.split()
        found.update(dict.fromkeys(aliases, (lexer, label)))
    return found


LANGUAGES = _languages()  # name behind the fence -> lexer, label
