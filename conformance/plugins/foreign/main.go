// Command foreign is a data source plugin on the unmodified official SDK: where
// the sun stands over a city. The demo and the conformance tests run it to show
// that plugins from elsewhere work.
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
)

func main() {
	if err := datasource.Manage("plugboard-foreign-datasource", open, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("serve", "error", err)
		os.Exit(1)
	}
}
