package host_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

// A host finds the plugins in a directory, keeps their processes running, and
// asks one of them.
func Example() {
	dir := pluginDir("example-datasource")
	defer os.RemoveAll(dir)

	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"example-datasource"}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- h.Run(ctx) }()

	response, err := h.Query(ctx, &plugin.QueryRequest{
		Context: plugin.Context{
			PluginID:   "example-datasource",
			DataSource: &plugin.DataSourceSettings{ID: 1, UID: "mine", URL: "http://localhost:8086"},
		},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"say": "hello"}`)}},
		Format:  plugin.FormatJSON,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, frame := range response.Responses["A"].Frames {
		fmt.Println(string(frame))
	}

	stop()
	fmt.Println(<-stopped)
	// Output:
	// {"schema":{"refId":"A","fields":[{"name":"answer","type":"string","typeInfo":{"frame":"string"}}]},"data":{"values":[["hello"]]}}
	// <nil>
}

// pluginDir makes a directory with a plugin in it: a plugin.json, and the
// executable that this names.
func pluginDir(id string) string {
	dir, err := os.MkdirTemp("", "plugins")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := badplugin.Install(filepath.Join(dir, id), id, badplugin.Good); err != nil {
		log.Fatal(err)
	}
	return dir
}
