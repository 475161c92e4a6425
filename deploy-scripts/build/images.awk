# Prints the images that a build with a Dockerfile pulls, one per line, or with of=docker-hub those from there, each with a
# tab and what to do instead: those of FROM, COPY --from, RUN --mount=from and "# syntax=", as BuildKit understands them
# (moby/buildkit, dockerfile2llb/convert.go). An image whose name depends on a build argument without a value is unknown, and
# not printed. It needs dockerfile.awk.
#
# Reads: GOARCH, and BUILD_ARG_<NAME> for each argument of the build

END {
  arguments["TARGETOS"] = arguments["BUILDOS"] = "linux"
  arguments["TARGETARCH"] = arguments["BUILDARCH"] = ENVIRON["GOARCH"]
  arguments["TARGETPLATFORM"] = arguments["BUILDPLATFORM"] = "linux/" ENVIRON["GOARCH"]
  read_dockerfile()
  for (i = 1; i <= pulls; i++) if (!(tolower(pulled[i]) in stages) || certain[i]) print_image(pulled[i])
}

# directive and obey get the parts of the Dockerfile.
function directive(name, value) { if (name == "syntax") pull(value, 1) }

function obey(line,   n, i, word, keyword) {
  n = split(line, word, /[ \t]+/)
  i = word[1] == "" ? 2 : 1
  keyword = toupper(word[i++])
  if (keyword == "ARG" && !froms) for (; i <= n; i++) declare(word[i])
  if (keyword == "FROM") begin_stage(word, n, i)
  for (; keyword ~ /^(COPY|RUN)$/ && word[i] ~ /^--/; i++) {
    if (keyword == "COPY" && word[i] ~ /^--from=/) pull(unquoted(substr(word[i], 8)), 0)
    if (keyword == "RUN" && word[i] ~ /^--mount=/) mount(substr(word[i], 9))
  }
  if (keyword ~ /^(ADD|COPY|RUN)$/) for (; i <= n; i++) skip_document(word[i])
}

# declare notes an ARG before the first FROM, where alone they count for it. The build may override the default.
function declare(text,   name) {
  name = text
  sub(/=.*/, "", name)
  if (("BUILD_ARG_" name) in ENVIRON) arguments[name] = ENVIRON["BUILD_ARG_" name]
  else if (name != text) arguments[name] = expand(unquoted(substr(text, length(name) + 2)))
}

# begin_stage notes the image of a FROM, which may be an earlier stage, and the stage's name.
function begin_stage(word, n, i,   image) {
  froms++
  while (word[i] ~ /^--/) i++
  image = expand(unquoted(word[i]))
  if (image != "scratch" && !(tolower(image) in stages)) pull(image, 1)
  if (tolower(word[i + 1]) == "as") stages[tolower(word[i + 2])] = 1
}

function mount(options,   n, i, option, from) {
  n = split(options, option, ",")
  for (i = 1; i <= n; i++) {
    if (option[i] ~ /^type=(tmpfs|secret|ssh)$/) return
    if (option[i] ~ /^from=/) from = unquoted(substr(option[i], 6))
  }
  if (from != "") pull(from, 0)
}

# pull notes an image. Unless that is certain, it is none if a stage has the name, wherever in the file, or the number.
function pull(image, sure) {
  if (!sure && image ~ /^([0-9]+|scratch)$/) return
  pulled[++pulls] = image
  certain[pulls] = sure
}

# print_image: without a host, a name is Docker Hub's (distribution/reference, splitDockerDomain).
function print_image(image,   name) {
  sub(/^(index\.|registry-1\.)?docker\.io\//, "", image)
  name = image
  sub(/@.*/, "", name)
  sub(/:[^\/]*$/, "", name)
  if (name == "" || name ~ /\$/ || image in printed) return
  if (of == "docker-hub" && name ~ /^(localhost|[^\/]*[.:A-Z][^\/]*)\//) return
  printed[image] = 1
  print image (of == "docker-hub" ? "\t" instead(image) : "")
}

# instead says how to do without an image of Docker Hub.
function instead(image) {
  sub(/^library\//, "", image)
  if (image ~ /^docker\/dockerfile/) return "omit the line '# syntax=', unless Docker's own frontend is too old"
  if (image ~ /\//) return "copy it to a repository of yours in ECR"
  return "write public.ecr.aws/docker/library/" image
}
