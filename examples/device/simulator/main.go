// Command simulator is a greenhouse on TCP, to try the device example with: it
// gets warm when its heater is on. Its argument is the address to listen on,
// 127.0.0.1:7070 if there is none.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync"
)

type greenhouse struct {
	mu          sync.Mutex
	heater      string
	connections int
}

func main() {
	address := "127.0.0.1:7070"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	g := &greenhouse{heater: "off"}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go g.serve(conn)
	}
}

func (g *greenhouse) serve(conn net.Conn) {
	defer conn.Close()
	g.mu.Lock()
	g.connections++
	g.mu.Unlock()
	for commands := bufio.NewScanner(conn); commands.Scan(); {
		if commands.Text() == "SET power off" {
			return // hangs up
		}
		fmt.Fprintln(conn, g.answer(strings.Fields(commands.Text())))
	}
}

func (g *greenhouse) answer(command []string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(command) == 1 && command[0] == "HELLO":
		return "OK greenhouse"
	case len(command) == 3 && command[0] == "SET" && command[1] == "heater":
		g.heater = command[2]
		return "OK"
	case len(command) == 2 && command[0] == "READ" && command[1] == "temperature" && g.heater == "on":
		return "OK 24.5"
	case len(command) == 2 && command[0] == "READ" && command[1] == "temperature":
		return "OK 18.5"
	case len(command) == 2 && command[0] == "READ" && command[1] == "connections":
		return fmt.Sprint("OK ", g.connections)
	default:
		return "ERR no such sensor or switch"
	}
}
