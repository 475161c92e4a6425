package urlport

import "testing"

func TestOf(t *testing.T) {
	for text, want := range map[string]int{
		"postgres://u:p@db.example.com/app":               5432,
		"postgresql://u:p@host.docker.internal:6543/app":  6543,
		"jdbc:mysql://db.example.com/app?useSSL=true":     3306,
		"REDISS://cache.example.com":                      6379,
		"smtp://mail.example.com:587":                     587,
		"amqps://[2001:db8::1]/":                          5671,
		"https://example.com/path":                        443,
		"http://localhost:3000":                           0,
		"http://127.0.0.1:3000":                           0,
		"http://[::1]:3000":                               0,
		"debug":                                           0,
		"db.example.com:5432":                             0, // no URL
		"file:///var/lib/app.db":                          0,
		"unknown://example.com":                           0,
		"postgres://u:p%zz@db.example.com":                0,
		"a text\nwith lines":                              0,
		"mongodb://a.example.com:27018,b.example.com/app": 0, // several hosts are no URL
	} {
		if got := Of(text); got != want {
			t.Errorf("%s: port %d, want %d", text, got, want)
		}
	}
}
