package load

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// The picture's size, and that of the plot in it, in pixels.
const (
	pictureWidth, pictureHeight           = 900, 320
	plotLeft, plotTop, plotRight, plotEnd = 60, 40, 880, 270
	// lowest and highest are the limits of the latency, in milliseconds. The scale is logarithmic.
	lowest, highest = 0.5, 10000
	// slice is the time whose requests are one point of a line.
	slice = time.Second
)

const pictureStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #505866; }
.paper { fill: #ffffff; } .grid { stroke: #c9ced6; } .build { fill: #f7e3b5; } .deploy { fill: #cfe3f7; }
.p50 { stroke: #1b6e34; fill: none; } .p99 { stroke: #0b57a4; fill: none; } .failed { fill: #b3261e; }
</style>
`

// picture draws the latency of requests over time as SVG, with the builds and deployments behind it. Failed requests are
// marks at the upper edge.
func (c course) picture(all results) string {
	if len(all) == 0 {
		return ""
	}
	sent := func(a, b *vegeta.Result) int { return a.Timestamp.Compare(b.Timestamp) }
	first, last := slices.MinFunc(all, sent).Timestamp, slices.MaxFunc(all, sent).Timestamp
	p := plot{from: first, length: max(last.Sub(first), slice)}
	fmt.Fprintf(&p.svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Latency of requests during %d releases">`+"\n%s",
		pictureWidth, pictureHeight, len(c.during), pictureStyle)
	fmt.Fprintf(&p.svg, `<rect class="paper" width="%d" height="%d"/>`+"\n", pictureWidth, pictureHeight)
	p.periods("build", c.building)
	p.periods("deploy", c.deploying)
	p.axes()
	p.lines(all)
	p.legend()
	p.svg.WriteString("</svg>\n")
	return p.svg.String()
}

// plot is a picture that is being drawn.
type plot struct {
	svg    strings.Builder
	from   time.Time
	length time.Duration
}

func (p *plot) x(t time.Time) float64 {
	return plotLeft + (plotRight-plotLeft)*t.Sub(p.from).Seconds()/p.length.Seconds()
}

func (p *plot) y(milliseconds float64) float64 {
	part := math.Log(max(lowest, min(highest, milliseconds))/lowest) / math.Log(highest/lowest)
	return plotEnd - (plotEnd-plotTop)*part
}

func (p *plot) periods(class string, periods []period) {
	for _, one := range periods {
		fmt.Fprintf(&p.svg, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", class, p.x(one.from), plotTop, p.x(one.to)-p.x(one.from), plotEnd-plotTop)
	}
}

// axes draws a line for each power of ten, and about ten times.
func (p *plot) axes() {
	for ms := 1.0; ms <= highest; ms *= 10 {
		fmt.Fprintf(&p.svg, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, plotRight, p.y(ms), plotLeft-6, p.y(ms)+4, time.Duration(ms*float64(time.Millisecond)))
	}
	step := max(slice, (p.length / 10).Round(5*slice))
	for at := time.Duration(0); at <= p.length; at += step {
		fmt.Fprintf(&p.svg, `<text x="%.1f" y="%d" text-anchor="middle">%.0f s</text>`+"\n", p.x(p.from.Add(at)), plotEnd+18, at.Seconds())
	}
}

// lines draws the median and the p99 of each slice of time, and its failed requests.
func (p *plot) lines(all results) {
	bySlice := map[time.Duration]results{}
	for _, r := range all {
		at := r.Timestamp.Sub(p.from).Truncate(slice)
		bySlice[at] = append(bySlice[at], r)
	}
	var p50, p99 []string
	for _, at := range slices.Sorted(maps.Keys(bySlice)) {
		m, middle := bySlice[at].measured(), p.x(p.from.Add(at+slice/2))
		p50 = append(p50, fmt.Sprintf("%.1f,%.1f", middle, p.y(m.Latency.P50)))
		p99 = append(p99, fmt.Sprintf("%.1f,%.1f", middle, p.y(m.Latency.P99)))
		if m.Failed > 0 {
			fmt.Fprintf(&p.svg, `<circle class="failed" cx="%.1f" cy="%d" r="3"><title>%d failed</title></circle>`+"\n", middle, plotTop, m.Failed)
		}
	}
	fmt.Fprintf(&p.svg, `<polyline class="p99" points="%s"/>`+"\n"+`<polyline class="p50" points="%s"/>`+"\n", strings.Join(p99, " "), strings.Join(p50, " "))
}

func (p *plot) legend() {
	fmt.Fprintf(&p.svg, `<text x="%d" y="20">Latency of requests, each second: <tspan fill="#1b6e34">median</tspan> and <tspan fill="#0b57a4">p99</tspan>; `+
		`yellow is a build, blue a deployment, a red mark failed requests</text>`+"\n", plotLeft)
}
