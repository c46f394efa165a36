package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"reflect"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumiprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The same program also stands in for the EKS component provider (install.py links it under that name): it makes what
// pulumi-eks 4.4.0 makes for `eks:index:Cluster` in one configuration, and refuses every other. Read in pulumi-eks,
// nodejs/eks/cluster/cluster.ts (createCore, createCluster) and nodejs/eks/cmd/provider/cluster.ts.
//
// What it leaves out: with a public endpoint the real one waits for the API server's /healthz, up to five minutes.

const eksCluster = "eks:index:Cluster"

// Versions of the plugins that the real component's own SDKs ask for (nodejs/eks/package.json).
const (
	eksAwsVersion        = "7.25.0"
	eksKubernetesVersion = "4.19.0"
)

// switchedOff: inputs that keep the component from making anything but the cluster and a Kubernetes provider.
var switchedOff = map[string]any{
	"skipDefaultNodeGroup": true, "skipDefaultSecurityGroups": true, "createOidcProvider": false, "useDefaultVpcCni": true,
	"kubeProxyAddonOptions": map[string]any{"enabled": false}, "corednsAddonOptions": map[string]any{"enabled": false},
	"authenticationMode": "API", "bootstrapSelfManagedAddons": false,
}

// passedOn: the other inputs that are understood.
var passedOn = words(`name version vpcId privateSubnetIds publicSubnetIds subnetIds serviceRole encryptionConfigKeyArn endpointPrivateAccess
	endpointPublicAccess publicAccessCidrs kubernetesServiceIpAddressRange enabledClusterLogTypes upgradePolicy clusterTags tags deletionProtection`)

type roleState struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `pulumi:"arn"`
}

type clusterState struct {
	pulumi.CustomResourceState
	Name                 pulumi.StringOutput `pulumi:"name"`
	Arn                  pulumi.StringOutput `pulumi:"arn"`
	Endpoint             pulumi.StringOutput `pulumi:"endpoint"`
	CertificateAuthority pulumi.MapOutput    `pulumi:"certificateAuthority"`
	VpcConfig            pulumi.MapOutput    `pulumi:"vpcConfig"`
	Identities           pulumi.ArrayOutput  `pulumi:"identities"`
	UpgradePolicy        pulumi.MapOutput    `pulumi:"upgradePolicy"`
}

type componentState struct{ pulumi.ResourceState }

type kubeProviderState struct{ pulumi.ProviderResourceState }

// ElementType makes resources values that can stand among outputs.
func (*roleState) ElementType() reflect.Type    { return reflect.TypeOf((*roleState)(nil)) }
func (*clusterState) ElementType() reflect.Type { return reflect.TypeOf((*clusterState)(nil)) }
func (*kubeProviderState) ElementType() reflect.Type {
	return reflect.TypeOf((*kubeProviderState)(nil))
}

// Construct makes the component's children.
func (p *provider) Construct(ctx context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	inputs, err := unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	if err := eksRefuse(req, plainMap(inputs)); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return pulumiprovider.Construct(ctx, req, p.engine, func(ctx *pulumi.Context, typ, name string, in pulumiprovider.ConstructInputs, opts pulumi.ResourceOption) (*pulumiprovider.ConstructResult, error) {
		args, err := in.Map()
		if err != nil {
			return nil, err
		}
		return constructCluster(ctx, name, args, inputs, opts)
	})
}

func eksRefuse(req *pulumirpc.ConstructRequest, in map[string]any) error {
	if req.GetType() != eksCluster {
		return fmt.Errorf("stand-in: unknown resource type %s", req.GetType())
	}
	if _, err := exec.LookPath("aws"); err != nil {
		return fmt.Errorf("Could not find aws CLI for EKS. See https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html for installation instructions.")
	}
	if req.GetProviders()["aws"] != "" {
		return fmt.Errorf("It looks like you're using an explicit AWS provider. Please specify this provider in providerCredentialOpts.")
	}
	if roles, _ := in["instanceRoles"].([]any); len(roles) > 0 {
		return fmt.Errorf("The 'instanceRoles' property does not support non-empty values when 'authenticationMode' is set to 'API'.")
	}
	var strange []string
	for key, value := range in {
		want, fixed := switchedOff[key]
		if (fixed && !reflect.DeepEqual(want, value)) || (!fixed && !contains(passedOn, key)) {
			strange = append(strange, fmt.Sprintf("%s=%v", key, value))
		}
	}
	for key, want := range switchedOff {
		if _, there := in[key]; !there {
			strange = append(strange, fmt.Sprintf("%s missing (expected %v)", key, want))
		}
	}
	if in["serviceRole"] == nil || in["name"] == nil {
		strange = append(strange, "serviceRole and name are needed")
	}
	if len(strange) > 0 {
		sort.Strings(strange)
		return fmt.Errorf("stand-in for pulumi-eks: what the component makes in this configuration is not modelled: %s", strings.Join(strange, ", "))
	}
	if public, known := in["endpointPublicAccess"].(bool); known && !public && in["publicAccessCidrs"] != nil {
		return fmt.Errorf("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true")
	}
	return nil
}

func constructCluster(ctx *pulumi.Context, name string, args pulumi.Map, raw resource.PropertyMap, opts pulumi.ResourceOption) (*pulumiprovider.ConstructResult, error) {
	role, roleArn, err := serviceRole(ctx, args, raw["serviceRole"])
	if err != nil {
		return nil, err
	}
	args["serviceRole"] = role
	component := &componentState{}
	if err := ctx.RegisterComponentResourceV2(eksCluster, name, args, component, opts); err != nil {
		return nil, err
	}
	cluster := &clusterState{}
	err = ctx.RegisterResource("aws:eks/cluster:Cluster", name+"-eksCluster", clusterInputs(name, args, roleArn), cluster,
		pulumi.Parent(component), pulumi.Version(eksAwsVersion),
		pulumi.IgnoreChanges([]string{"accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"}))
	if err != nil {
		return nil, err
	}
	kubeconfig := kubeconfigOf(cluster)
	kubeconfigJSON := kubeconfig.ApplyT(func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	}).(pulumi.StringOutput)
	kube := &kubeProviderState{}
	err = ctx.RegisterResource("pulumi:providers:kubernetes", name+"-eks-k8s", pulumi.Map{"kubeconfig": kubeconfigJSON}, kube,
		pulumi.Parent(component), pulumi.Version(eksKubernetesVersion))
	if err != nil {
		return nil, err
	}
	outputs := componentOutputs(args, role, cluster, kube, kubeconfig, kubeconfigJSON)
	if err := ctx.RegisterResourceOutputs(component, outputs); err != nil {
		return nil, err
	}
	return &pulumiprovider.ConstructResult{URN: component.URN(), State: outputs}, nil
}

// serviceRole is the role that was passed in as a resource, and its ARN. In a preview that would make the role, it is an
// unknown that depends on it.
func serviceRole(ctx *pulumi.Context, args pulumi.Map, v resource.PropertyValue) (pulumi.Input, pulumi.StringOutput, error) {
	for !v.IsComputed() && (v.IsSecret() || (v.IsOutput() && v.OutputValue().Known)) {
		if v.IsSecret() {
			v = v.SecretValue().Element
		} else {
			v = v.OutputValue().Element
		}
	}
	if v.IsComputed() || v.IsOutput() {
		later := args["serviceRole"].(pulumi.Output)
		return later, later.ApplyT(func(any) string { return "" }).(pulumi.StringOutput), nil
	}
	if !v.IsResourceReference() {
		return nil, pulumi.StringOutput{}, fmt.Errorf("serviceRole is not a resource but %s", v.TypeString())
	}
	urn := v.ResourceReferenceValue().URN
	role := &roleState{}
	err := ctx.RegisterResource(string(urn.Type()), urn.Name(), nil, role, pulumi.URN_(string(urn)))
	return role, role.Arn, err
}

func clusterInputs(name string, args pulumi.Map, roleArn pulumi.StringOutput) pulumi.Map {
	network := pulumi.Map{}
	for _, key := range words("endpointPrivateAccess endpointPublicAccess publicAccessCidrs") {
		if v, ok := args[key]; ok {
			network[key] = v
		}
	}
	network["subnetIds"] = subnetsOf(args)
	props := pulumi.Map{"roleArn": roleArn, "vpcConfig": network, "tags": clusterTags(name, args)}
	for _, key := range words("name bootstrapSelfManagedAddons version enabledClusterLogTypes upgradePolicy deletionProtection") {
		if v, ok := args[key]; ok {
			props[key] = v
		}
	}
	if cidr, ok := args["kubernetesServiceIpAddressRange"]; ok {
		props["kubernetesNetworkConfig"] = pulumi.Map{"serviceIpv4Cidr": cidr, "ipFamily": pulumi.String("ipv4")}
	}
	if encryption, ok := encryptionOf(args); ok {
		props["encryptionConfig"] = encryption
	}
	props["accessConfig"] = pulumi.Map{"authenticationMode": args["authenticationMode"], "bootstrapClusterCreatorAdminPermissions": pulumi.Bool(true)}
	return props
}

func encryptionOf(args pulumi.Map) (pulumi.Map, bool) {
	arn, ok := args["encryptionConfigKeyArn"]
	return pulumi.Map{"provider": pulumi.Map{"keyArn": arn}, "resources": pulumi.StringArray{pulumi.String("secrets")}}, ok
}

func subnetsOf(args pulumi.Map) pulumi.Input {
	if ids, ok := args["subnetIds"]; ok {
		return ids
	}
	var lists []any
	for _, key := range words("publicSubnetIds privateSubnetIds") {
		if ids, ok := args[key]; ok {
			lists = append(lists, ids)
		}
	}
	return pulumi.All(lists...).ApplyT(func(all []any) []any {
		ids := []any{}
		for _, list := range all {
			ids = append(ids, list.([]any)...)
		}
		return ids
	})
}

// clusterTags: a Name, overlaid by clusterTags, overlaid by tags.
func clusterTags(name string, args pulumi.Map) pulumi.Input {
	layers := []any{}
	for _, key := range words("clusterTags tags") {
		if v, ok := args[key]; ok {
			layers = append(layers, v)
		}
	}
	return pulumi.All(layers...).ApplyT(func(all []any) map[string]any {
		tags := map[string]any{"Name": name + "-eksCluster"}
		for _, layer := range all {
			for k, v := range layer.(map[string]any) {
				tags[k] = v
			}
		}
		return tags
	})
}

func kubeconfigOf(cluster *clusterState) pulumi.AnyOutput {
	return pulumi.All(cluster.Name, cluster.Endpoint, cluster.CertificateAuthority, cluster.Arn).ApplyT(func(all []any) any {
		name, endpoint, arn := all[0].(string), all[1].(string), strings.Split(all[3].(string), ":")
		region := ""
		if len(arn) > 3 {
			region = arn[3]
		}
		return map[string]any{
			"apiVersion": "v1", "kind": "Config", "current-context": "aws",
			"clusters": []any{map[string]any{"name": "kubernetes", "cluster": map[string]any{
				"server": endpoint, "certificate-authority-data": dig(all[2], "data")}}},
			"contexts": []any{map[string]any{"name": "aws", "context": map[string]any{"cluster": "kubernetes", "user": "aws"}}},
			"users": []any{map[string]any{"name": "aws", "user": map[string]any{"exec": map[string]any{
				"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
				"args": anys([]string{"--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"}),
				"env":  []any{map[string]any{"name": "KUBERNETES_EXEC_INFO", "value": `{"apiVersion": "client.authentication.k8s.io/v1beta1"}`}},
			}}}},
		}
	}).(pulumi.AnyOutput)
}

func componentOutputs(args pulumi.Map, role pulumi.Input, cluster *clusterState, kube *kubeProviderState, kubeconfig pulumi.AnyOutput, kubeconfigJSON pulumi.StringOutput) pulumi.Map {
	group := cluster.VpcConfig.ApplyT(func(v map[string]any) string { s, _ := v["clusterSecurityGroupId"].(string); return s })
	issuer := cluster.Identities.ApplyT(func(v []any) string {
		if len(v) > 0 {
			if oidcs, _ := dig(v[0], "oidcs").([]any); len(oidcs) > 0 {
				s, _ := dig(oidcs[0], "issuer").(string)
				return s
			}
		}
		return ""
	}).(pulumi.StringOutput)
	none := pulumi.String("")
	core := pulumi.Map{"cluster": cluster, "subnetIds": subnetsOf(args), "endpoint": cluster.Endpoint, "provider": kube, "instanceRoles": pulumi.Array{},
		"nodeGroupOptions": pulumi.Map{}, "kubeconfig": kubeconfig, "storageClasses": pulumi.Map{}, "accessEntries": pulumi.Array{},
		"clusterIamRole": role, "autoModeNodeRoleName": none}
	if encryption, ok := encryptionOf(args); ok {
		core["encryptionConfig"] = encryption
	}
	for _, key := range words("vpcId privateSubnetIds publicSubnetIds tags") {
		if v, ok := args[key]; ok {
			core[key] = v
		}
	}
	return pulumi.Map{
		"kubeconfig": kubeconfig, "kubeconfigJson": kubeconfigJSON, "eksCluster": cluster, "core": core, "instanceRoles": pulumi.Array{},
		"clusterSecurityGroupId": group, "nodeSecurityGroupId": group, "clusterIngressRuleId": none, "defaultNodeGroupAsgName": none,
		"fargateProfileId": none, "fargateProfileStatus": none, "oidcProviderArn": none, "oidcProviderUrl": issuer,
		"oidcIssuer":           issuer.ApplyT(func(url string) string { return strings.TrimPrefix(url, "https://") }),
		"autoModeNodeRoleName": none,
	}
}
