package drill

import (
	"embed"

	"cicd/internal/edit"
)

// drillapp is an application that misbehaves on request; see its own comment.
//
//go:embed drillapp/main.go
var drillapp embed.FS

// misbehaving replaces the application, whatever its language, by one that behaves as the arguments say.
func misbehaving(arguments string) edit.Edit {
	return func(dir string) error {
		source, err := drillapp.ReadFile("drillapp/main.go")
		if err != nil {
			return err
		}
		const makefile = "image:\n" +
			"\tcd drill && CGO_ENABLED=0 GOOS=linux go build -o drill .\n" +
			"\tdocker build --platform linux/$(GOARCH) --tag '$(IMAGE)' drill\n"
		for _, e := range []edit.Edit{
			edit.Write("webapp/Makefile", makefile),
			edit.Write("webapp/drill/go.mod", "module drill\n\ngo 1.22\n"),
			edit.Write("webapp/drill/main.go", string(source)),
			edit.Write("webapp/drill/Dockerfile", "FROM scratch\nCOPY drill /drill\nENTRYPOINT [\"/drill\", \""+arguments+"\"]\n"),
		} {
			if err := e(dir); err != nil {
				return err
			}
		}
		return nil
	}
}
