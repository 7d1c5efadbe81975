package host_test

import (
	"fmt"

	"github.com/plugboard/plugboard/host"
)

// What plugins may do is part of the configuration.
func ExamplePolicy() {
	c := host.Config{
		Sandbox: map[string]host.Policy{
			"*":                       {Level: "strict"},
			"acme-weather-datasource": {Read: []string{"/srv/weather"}, Network: "443,https", Memory: 512 << 20},
		},
	}
	fmt.Println(c.Validate())
	// Output: policy "acme-weather-datasource" of Sandbox: the network "443,https" is neither any nor none nor TCP ports, as 443,5432
}
