package badplugin

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
)

// serveForEver serves plainly, as a plugin in standalone mode does: without
// go-plugin's services there is nobody to ask for a shutdown.
func serveForEver() {
	path := filepath.Join(os.TempDir(), "immortal")
	listener, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	if err := (services{}).GRPCServer(nil, server); err != nil {
		panic(err)
	}
	fmt.Printf("1|2|unix|%s|grpc\n", path)
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	forever()
}
