// Command kube-all is Kubernetes in one binary: the control plane, the node
// agents and kubectl share one copy of the linked code. The component is chosen
// by the name the binary is called by, or else by its first argument. A further
// component, certificates, issues the X.509 certificates that the others need,
// so that no openssl has to be installed.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// Metrics and signal handling that the separate commands register by import.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// buildKey is stamped by the build: a digest of this directory and the build's
// flags, by which a binary found elsewhere is recognised as this one.
var buildKey = "unstamped"

// components maps the name of each component to its entry point.
var components = map[string]func(args []string) int{
	"certificates":            runCertificates,
	"etcd":                    runEtcd,
	"kube-apiserver":          runCobra(apiserver.NewAPIServerCommand),
	"kube-controller-manager": runCobra(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          runCobra(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubelet":                 runCobra(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"kube-proxy":              runCobra(proxy.NewProxyCommand),
	"kubectl":                 runCobra(kubectl.NewDefaultKubectlCommand),
	"version":                 printVersion,
}

func main() {
	name := filepath.Base(os.Args[0])
	args := os.Args
	if _, known := components[name]; !known && len(os.Args) > 1 {
		name = os.Args[1]
		args = os.Args[1:]
	}
	run, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "usage: kube-all COMPONENT [flags]; components: %s\n", strings.Join(names(), ", "))
		os.Exit(2)
	}
	os.Args = append([]string{name}, args[1:]...)
	os.Exit(run(os.Args))
}

func printVersion([]string) int {
	fmt.Printf("kube-all %s\n", buildKey)
	return 0
}

func runEtcd(args []string) int {
	etcdmain.Main(args)
	return 0
}

// runCobra defers building the command until the component is chosen, because
// building it registers global flags.
func runCobra(build func() *cobra.Command) func([]string) int {
	return func([]string) int { return cli.Run(build()) }
}

func names() []string {
	all := make([]string, 0, len(components))
	for name := range components {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}
