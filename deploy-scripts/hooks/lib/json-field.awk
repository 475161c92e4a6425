# Prints the value of a key of the JSON object on standard input, and a dot, so that the shell keeps newlines at its
# end. Only a string, a number or a boolean is a value, and strings are decoded. The last of several equal keys counts,
# as for most parsers (RFC 8259, section 4). It comes after json-string.awk.
#
# Reads: KEY
#
# The exit code says what is wrong: 10 it is not a JSON object, 11 it has no such key, 12 the value is an object, a list
# or null, 13 the value holds a NUL, which no variable can.

{ text = text $0 "\n" }

END {
  at = 1
  if (!next_is("{")) exit 10
  if (next_is("}")) exit 11
  do {
    blank()
    name = string()
    want(":")
    value = any()
    if (name == ENVIRON["KEY"] "") { found = kind; result = value }
  } while (next_is(","))
  want("}")
  blank()
  if (at <= length(text)) exit 10
  if (!found) exit 11
  if (found != "scalar") exit 12
  if (index(result, NUL)) exit 13
  printf "%s.", result
}

function blank() {
  while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++
}

function next_is(c) {
  blank()
  if (substr(text, at, 1) != c) return 0
  at++
  return 1
}

function want(c) {
  if (!next_is(c)) exit 10
}

# any reads a value of any kind, and sets kind.
function any(    c, value) {
  blank()
  c = substr(text, at, 1)
  if (c == "{" || c == "[") {
    nested(c == "{" ? "}" : "]")
    kind = "nested"
    return ""
  }
  if (c == "\"") value = string()
  else {
    if (!match(substr(text, at, 400), /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)/)) exit 10
    value = substr(text, at, RLENGTH)
    at += RLENGTH
  }
  kind = c == "n" ? "null" : "scalar"
  return value
}

function nested(close_by) {
  at++
  if (next_is(close_by)) return
  do {
    if (close_by == "}") { blank(); string(); want(":") }
    any()
  } while (next_is(","))
  want(close_by)
}
