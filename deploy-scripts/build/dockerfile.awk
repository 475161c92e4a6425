# Reads a Dockerfile as BuildKit does (moby/buildkit, frontend/dockerfile/parser: parser.go, directives.go). It calls
# directive for its parser directives, and obey for its instructions, each as one line. Whoever uses it defines these two.

{ sub(/\r$/, ""); lines[NR] = $0 }

function read_dockerfile() {
  sub(/^\357\273\277/, "", lines[1]) # a byte order mark
  escape = "\\"
  for (at = directives(); at <= NR; at++) read_line(lines[at])
  if (instruction != "") obey(instruction)
}

# directives reads the parser directives, which end at the first line that is none, and returns the next line's number.
function directives(   n, name, value) {
  for (n = lines[1] ~ /^#!/ ? 2 : 1; n <= NR && tolower(lines[n]) ~ /^#[ \t]*(syntax|escape|check)[ \t]*=/; n++) {
    name = value = lines[n]
    sub(/[ \t]*=.*/, "", name)
    sub(/[^=]*=[ \t]*/, "", value)
    sub(/[ \t].*/, "", value)
    sub(/^#[ \t]*/, "", name)
    if (tolower(name) == "escape") escape = value
    directive(tolower(name), value)
  }
  return n
}

# read_line adds a line to the instruction, and obeys it if it is complete. Comments and blank lines do not end one.
function read_line(line,   body) {
  if (line ~ /^[ \t]*(#|$)/) return
  body = line
  sub(/[ \t]+$/, "", body)
  if (substr(body, length(body)) == escape && substr(body, length(body) - 1, 1) != escape) {
    instruction = instruction substr(body, 1, length(body) - 1)
    return
  }
  line = instruction line
  instruction = ""
  obey(line)
}

# skip_document skips the here-document that a word begins, if the file has its end.
function skip_document(word,   strip, line, n) {
  if (word !~ /^[0-9]*<<-?("[^"<]+"|'[^'<]+'|[^"'<]+)$/) return
  sub(/^[0-9]*<</, "", word)
  strip = sub(/^-/, "", word)
  word = unquoted(word)
  for (n = at + 1; n <= NR; n++) {
    line = lines[n]
    if (strip) sub(/^\t+/, "", line)
    if (line == word) { at = n; return }
  }
}

function unquoted(text) {
  if (text ~ /^".*"$/ || text ~ /^'.*'$/) return substr(text, 2, length(text) - 2)
  return text
}

# expand replaces $NAME, ${NAME}, ${NAME:-word} and ${NAME:+word} by the arguments' values, as far as these are known. With
# a colon, an empty value is as good as none.
function expand(text,   done, reference, name, word, known) {
  while (match(text, /\$([A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*(:?[-+][^}]*)?\})/)) {
    reference = name = word = substr(text, RSTART, RLENGTH)
    done = done substr(text, 1, RSTART - 1)
    text = substr(text, RSTART + RLENGTH)
    gsub(/^\$\{?|:?[-+}].*/, "", name)
    if (!sub(/^\$\{[A-Za-z0-9_]*:?/, "", word)) word = "}"
    sub(/}$/, "", word)
    known = name in arguments && (arguments[name] != "" || reference !~ /^[^-+]*:[-+]/)
    if (word ~ /^\+/) done = done (known ? substr(word, 2) : "")
    else if (known) done = done arguments[name]
    else done = done (word ~ /^-/ ? substr(word, 2) : reference)
  }
  return done text
}
