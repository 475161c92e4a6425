package load

import (
	"fmt"
	"os"
	"strings"
)

// processors is how long this machine's processors have been in use and idle since it started, in ticks.
type processors struct{ used, idle uint64 }

// readProcessors reads the first line of /proc/stat, see proc_stat(5): user nice system idle iowait irq softirq steal.
// Time that the hypervisor gave to others (steal) counts as used, because it was not there for the requests.
func readProcessors() (p processors, err error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return p, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	var user, nice, system, idle, iowait, irq, softirq, steal uint64
	if _, err := fmt.Sscanf(line, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return p, fmt.Errorf("/proc/stat begins with %q: %w", line, err)
	}
	return processors{user + nice + system + irq + softirq + steal, idle + iowait}, nil
}

// since returns what was added after an earlier reading.
func (p processors) since(earlier processors) processors {
	return processors{p.used - earlier.used, p.idle - earlier.idle}
}

func (p processors) plus(q processors) processors {
	return processors{p.used + q.used, p.idle + q.idle}
}

// share returns which part of the time the processors were in use, from 0 to 1.
func (p processors) share() float64 {
	if p.used+p.idle == 0 {
		return 0
	}
	return float64(p.used) / float64(p.used+p.idle)
}
