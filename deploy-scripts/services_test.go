package deployscripts_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// services stands in for Parameter Store, Secrets Manager and CloudWatch Logs, as far as hooks call them, in their JSON
// protocol. It checks no permissions.
type services struct {
	mu         sync.Mutex
	parameters map[string]string   // values by name; version is how long the name is
	secrets    map[string]any      // by ARN: a string, or bytes
	refused    map[string][]string // by operation: what it answers instead, in turn; the last one from then on
	slow       map[string]time.Duration
	calls      []string // each an operation and its input
}

// success is an answer of services.refused that lets a call succeed.
const success = ""

func newServices() *services {
	return &services{parameters: map[string]string{}, secrets: map[string]any{}, refused: map[string][]string{}, slow: map[string]time.Duration{}}
}

// settle orders what a test has set before what the server reads for a process that the test starts: nothing else tells
// the race detector.
func (s *services) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// before lets another handler answer what services do not.
func (s *services) before(other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if slices.Contains(slices.Collect(maps.Values(servedByServices)), service) {
			s.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	raw, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.calls = append(s.calls, operation+" "+string(raw))
	answer, code := s.answer(operation, raw)
	if left := s.refused[operation]; len(left) > 0 {
		if code = left[0]; len(left) > 1 {
			s.refused[operation] = left[1:]
		}
	}
	pause := s.slow[operation]
	s.mu.Unlock()
	select {
	case <-time.After(pause):
	case <-r.Context().Done():
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if code != success {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": code, "message": "not today"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// answer returns the answer of an operation, or the code of its error.
func (s *services) answer(operation string, raw []byte) (answer any, code string) {
	var in struct {
		Names          []string
		SecretId       string
		WithDecryption bool
	}
	_ = json.Unmarshal(raw, &in)
	switch operation {
	case "GetParameters":
		found, missing := []any{}, []string{}
		for _, name := range in.Names {
			key := name[strings.LastIndex(name, ":parameter")+1:]
			key = strings.TrimPrefix(key, "parameter")
			value, ok := s.parameters[key]
			if !ok || !in.WithDecryption {
				missing = append(missing, name)
				continue
			}
			found = append(found, map[string]any{"Name": key, "ARN": "arn:aws:ssm:eu-central-1:123456789012:parameter" + key,
				"Version": len(key), "Value": value, "Type": "SecureString"})
		}
		return map[string]any{"Parameters": found, "InvalidParameters": missing}, ""
	case "GetSecretValue":
		switch value := s.secrets[in.SecretId].(type) {
		case string:
			return map[string]any{"ARN": in.SecretId, "SecretString": value}, ""
		case []byte:
			return map[string]any{"ARN": in.SecretId, "SecretBinary": value}, ""
		}
		return nil, "ResourceNotFoundException"
	case "PutParameter":
		return map[string]any{"Version": 1}, ""
	}
	return map[string]any{}, ""
}

// made lists the inputs of an operation's calls so far.
func (s *services) made(operation string) (inputs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		if input, ok := strings.CutPrefix(call, operation+" "); ok {
			inputs = append(inputs, input)
		}
	}
	return inputs
}

var (
	servedByServices = map[string]string{"ssm": "AmazonSSM", "secretsmanager": "secretsmanager", "logs": "Logs_20140328"}
	separator        = regexp.MustCompile(`'([0-9a-f]{32})'`)
)

// runServices makes a call to services as the AWS CLI does, given as the arguments after "aws".
func runServices(args []string, stdout, stderr io.Writer) int {
	name := ""
	for _, word := range strings.Split(args[1], "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	input, query := map[string]any{}, ""
	for i := 2; i < len(args); i++ {
		switch option := args[i]; option {
		case "--with-decryption":
			input["WithDecryption"] = true
		case "--names":
			input["Names"], i = args[i+1:], len(args)
		case "--query":
			i++
			query = args[i]
		case "--secret-id", "--name", "--value", "--log-group-name", "--log-stream-name":
			i++
			input[map[string]string{"--secret-id": "SecretId", "--name": "Name", "--value": "Value", "--log-group-name": "logGroupName", "--log-stream-name": "logStreamName"}[option]] = args[i]
		}
	}
	body, _ := json.Marshal(input)
	request, err := http.NewRequest(http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(string(body)))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 255
	}
	request.Header.Set("X-Amz-Target", servedByServices[args[0]]+"."+name)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Fprintf(stderr, "\nCould not connect to the endpoint URL: %v\n", err)
		return 255
	}
	defer response.Body.Close()
	var out struct {
		Type       string `json:"__type"`
		Parameters []struct {
			Name, ARN, Value string
			Version          int
		}
		SecretString *string
	}
	_ = json.NewDecoder(response.Body).Decode(&out)
	if response.StatusCode != http.StatusOK {
		fmt.Fprintf(stderr, "\nAn error occurred (%s) when calling the %s operation: not today\n", out.Type, name)
		return 254
	}
	sep := separator.FindStringSubmatch(query)
	switch name {
	case "GetParameters":
		var fields []string
		for _, p := range out.Parameters {
			fields = append(fields, p.Name, p.ARN, fmt.Sprint(p.Version), p.Value)
		}
		fmt.Fprintln(stdout, strings.Join(fields, sep[1]))
	case "GetSecretValue":
		text := out.SecretString
		if text == nil {
			text = &sep[1]
		}
		fmt.Fprintln(stdout, *text)
	}
	return 0
}

// isServices reports whether services answer a call of the AWS CLI.
func isServices(args []string) bool { return len(args) > 1 && servedByServices[args[0]] != "" }
