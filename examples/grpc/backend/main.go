// Command backend is a gRPC server that tells of its health, to try the grpc
// example with. Its argument is the address to listen on, 127.0.0.1:7071 if
// there is none.
package main

import (
	"fmt"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	address := "127.0.0.1:7071"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	states := health.NewServer()
	states.SetServingStatus("orders", grpc_health_v1.HealthCheckResponse_SERVING)
	states.SetServingStatus("billing", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, states)
	fmt.Println(listener.Addr())
	log.Fatal(server.Serve(listener))
}
