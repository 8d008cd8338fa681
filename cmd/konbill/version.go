package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "version",
		Short: a.say("バージョンを表示", "Print the version"),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"version": version(), "go": runtime.Version(), "platform": platform()})
			}
			_, err := fmt.Fprintf(a.stdout, "konbill %s (%s, %s)\n", version(), runtime.Version(), platform())
			return err
		},
	})
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// version is the module's, as the Go command stamped it: a tag, or the commit
// it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
