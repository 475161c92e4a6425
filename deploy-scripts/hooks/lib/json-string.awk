# The strings of JSON (RFC 8259, section 7), for json-field.awk: in "text", from the place "at" on. Text is bytes, so it
# runs under LC_ALL=C. A NUL becomes the two bytes NUL, which are not UTF-8.

BEGIN { NUL = "\300\200" }

function string(    out, part, end, c) {
  if (substr(text, at, 1) != "\"") exit 10
  at++
  for (;;) {
    part = substr(text, at, 4096)
    end = match(part, /[\001-\037"\\]/)
    if (!end && part == "") exit 10
    out = out (end ? substr(part, 1, end - 1) : part)
    at += end ? end : length(part)
    if (!end) continue
    c = substr(part, end, 1)
    if (c == "\"") return out
    if (c != "\\") exit 10
    out = out escaped()
  }
}

function escaped(    c, i, code, low) {
  c = substr(text, at, 1)
  at++
  i = index("\"\\/bfnrt", c)
  if (i && c != "") return substr("\"\\/\b\f\n\r\t", i, 1)
  if (c != "u") exit 10
  code = hexadecimal()
  if (code < 55296 || code > 57343) return utf8(code)
  if (code > 56319 || substr(text, at, 2) != "\\u") exit 10 # half of a pair of surrogates
  at += 2
  low = hexadecimal()
  if (low < 56320 || low > 57343) exit 10
  return utf8(65536 + (code - 55296) * 1024 + low - 56320)
}

function hexadecimal(    i, digit, code) {
  for (i = 0; i < 4; i++) {
    digit = index("0123456789abcdef", tolower(substr(text, at + i, 1)))
    if (!digit || at + i > length(text)) exit 10
    code = code * 16 + digit - 1
  }
  at += 4
  return code
}

function utf8(code) {
  if (code == 0) return NUL
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
  if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
  return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}
