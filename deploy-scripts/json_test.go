package deployscripts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func jsonOf(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// awks are the commands for awk on this machine. Hosts have gawk; others have what their distribution chose.
func awks(t *testing.T) (found [][]string) {
	t.Helper()
	for _, command := range [][]string{{"awk"}, {"gawk"}, {"mawk"}, {"busybox", "awk"}, {"original-awk"}} {
		if _, err := exec.LookPath(command[0]); err == nil {
			found = append(found, command)
		}
	}
	if len(found) == 0 {
		t.Fatal("there is no awk")
	}
	return found
}

func TestJSONField(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`\u00e4\n"x`, 1000) + strings.Repeat("y", 50000)
	tests := []struct {
		text, key, want string // after the text "!", want is an exit code
	}{
		{`{"k":"v"}`, "k", "v"},
		{" \t\r\n{ \"a\" : [ { \"k\" : \"no\" } , [ ] , { } ] , \"k\" : \"v\" } \n", "k", "v"},
		{`{"o":{"k":"no"},"k":"\"\\\/\b\f\n\r\t"}`, "k", "\"\\/\b\f\n\r\t"},
		{`{"k":"\u0041\u00e9\u20AC\ud83d\uDE00\u007f"}`, "k", "Aé€😀\x7f"},
		{`{"k":"zażółć 鍵 😀"}`, "k", "zażółć 鍵 😀"},
		{`{"k":"ends\n\n"}`, "k", "ends\n\n"},
		{`{"k":""}`, "k", ""},
		{`{"k":-0.50e+10,"l":1}`, "k", "-0.50e+10"},
		{`{"k":0}`, "k", "0"},
		{`{"k":true}`, "k", "true"},
		{`{"k":false}`, "k", "false"},
		{`{"k":"null"}`, "k", "null"},
		{`{"":"empty"}`, "", "empty"},
		{`{"a=b":"1"}`, "a=b", "1"},
		{`{"1.0":"no","1":"yes"}`, "1", "yes"},
		{`{"-f":"1"}`, "-f", "1"},
		{`{"\u006b":"v"}`, "k", "v"},
		{`{"\\n":"v"}`, `\n`, "v"},
		{`{"clé":"v"}`, "clé", "v"},
		{`{"k":"first","k":"last"}`, "k", "last"},
		{jsonOf(map[string]string{"k": long}), "k", long},
		{``, "k", "!10"}, {`null`, "k", "!10"}, {`"k"`, "k", "!10"}, {`[{"k":"v"}]`, "k", "!10"}, {`{"k":"v"`, "k", "!10"}, {`{"k":"v"}}`, "k", "!10"},
		{`{"k":"v",}`, "k", "!10"}, {`{"k" "v"}`, "k", "!10"}, {`{k:"v"}`, "k", "!10"}, {`{"k":'v'}`, "k", "!10"}, {`{"k":01}`, "k", "!10"}, {`{"k":tru}`, "k", "!10"},
		{`{"k":1.}`, "k", "!10"}, {`{"k":+1}`, "k", "!10"}, {`{"k":"\x"}`, "k", "!10"}, {`{"k":"\u12g4"}`, "k", "!10"}, {`{"k":"\ud83d"}`, "k", "!10"}, {`{"k":"\ude00"}`, "k", "!10"},
		{`{"k":"\ud83d\u0041"}`, "k", "!10"}, {"{\"k\":\"a\nb\"}", "k", "!10"}, {"{\"k\":\"a\tb\"}", "k", "!10"}, {`{"k":"v","l":[1,]}`, "k", "!10"}, {`{"k":"v`, "k", "!10"}, {`{"k":"\`, "k", "!10"}, {`{"k":"\u00`, "k", "!10"}, {`{,"k":1}`, "k", "!10"},
		{`{}`, "k", "!11"}, {`{"K":"v"}`, "k", "!11"}, {`{"a":{"k":"v"}}`, "k", "!11"}, {`{"kk":1}`, "k", "!11"},
		{`{"k":{}}`, "k", "!12"}, {`{"k":["v"]}`, "k", "!12"}, {`{"k":null}`, "k", "!12"}, {`{"k":"v","k":{}}`, "k", "!12"},
		{`{"k":"\u0000"}`, "k", "!13"},
	}
	for _, awk := range awks(t) {
		for _, tt := range tests {
			cmd := exec.Command(awk[0], append(awk[1:], "-f", "hooks/lib/json-string.awk", "-f", "hooks/lib/json-field.awk")...)
			cmd.Env = append(os.Environ(), "KEY="+tt.key, "LC_ALL=C")
			cmd.Stdin = strings.NewReader(tt.text)
			out, err := cmd.Output()
			got := strings.TrimSuffix(string(out), ".")
			if err != nil {
				got = fmt.Sprint("!", cmd.ProcessState.ExitCode())
			}
			if got != tt.want {
				t.Errorf("%q: key %q of %.80q is %.80q, want %.80q", awk, tt.key, tt.text, got, tt.want)
			}
		}
	}
}
