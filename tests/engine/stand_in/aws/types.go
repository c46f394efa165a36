package main

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// TypeInfo is one entry of types.json (see gen_types.py).
type TypeInfo struct {
	Inputs   []string `json:"inputs"`
	Required []string `json:"required"`
	Outputs  []string `json:"outputs"`
	ForceNew []string `json:"forceNew"`
	Secret   []string `json:"secret"`
}

// typeTable reads types.json from $FAKE_AWS_TYPES or from beside the executable.
var typeTable = sync.OnceValue(func() map[string]TypeInfo {
	path := os.Getenv("FAKE_AWS_TYPES")
	if path == "" {
		if exe, err := os.Executable(); err == nil {
			path = filepath.Join(filepath.Dir(exe), "pulumi-resource-aws.types.json")
		}
	}
	table := map[string]TypeInfo{}
	if data, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(data, &table)
	}
	for typ, info := range randomTypes {
		table[typ] = info
	}
	return table
})

func words(s string) []string { return strings.Fields(s) }

// forceNew: top-level inputs whose change replaces the resource, beside those which the
// documentation in types.json names. "-x" takes x out of the documented set.
var forceNew = map[string][]string{
	"aws:ec2/vpc:Vpc":                                           words("cidrBlock ipv4IpamPoolId ipv4NetmaskLength region"),
	"aws:ec2/subnet:Subnet":                                     words("cidrBlock availabilityZone availabilityZoneId vpcId outpostArn ipv6Native region"),
	"aws:ec2/internetGateway:InternetGateway":                   words("region"),
	"aws:ec2/natGateway:NatGateway":                             words("allocationId connectivityType privateIp subnetId region"),
	"aws:ec2/eip:Eip":                                           words("domain region networkBorderGroup publicIpv4Pool"),
	"aws:ec2/routeTable:RouteTable":                             words("vpcId region"),
	"aws:ec2/route:Route":                                       words("routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId region"),
	"aws:ec2/routeTableAssociation:RouteTableAssociation":       words("subnetId gatewayId region"),
	"aws:ec2/securityGroup:SecurityGroup":                       words("name namePrefix description vpcId region"),
	"aws:ec2/securityGroupRule:SecurityGroupRule":               words("type fromPort toPort protocol cidrBlocks ipv6CidrBlocks prefixListIds securityGroupId self sourceSecurityGroupId region"),
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": words("securityGroupId region"),
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   words("securityGroupId region"),
	"aws:ec2/vpcEndpoint:VpcEndpoint":                           words("serviceName serviceRegion vpcEndpointType vpcId region"),
	"aws:ec2/launchTemplate:LaunchTemplate":                     words("name namePrefix region"),
	"aws:ec2/flowLog:FlowLog":                                   words("vpcId subnetId logDestination logDestinationType logFormat trafficType iamRoleArn maxAggregationInterval region"),
	"aws:ec2/instance:Instance":                                 words("ami subnetId availabilityZone keyName placementGroup region launchTemplate.id launchTemplate.name launchTemplate.version"),
	"aws:ec2/volume:Volume":                                     words("availabilityZone encrypted kmsKeyId snapshotId region"),
	"aws:eks/cluster:Cluster":                                   words("name roleArn encryptionConfig bootstrapSelfManagedAddons kubernetesNetworkConfig.serviceIpv4Cidr kubernetesNetworkConfig.ipFamily outpostConfig accessConfig.bootstrapClusterCreatorAdminPermissions region"),
	"aws:eks/nodeGroup:NodeGroup":                               words("amiType capacityType clusterName diskSize instanceTypes launchTemplate.id launchTemplate.name nodeGroupName nodeGroupNamePrefix nodeRoleArn remoteAccess subnetIds region"),
	"aws:eks/addon:Addon":                                       words("clusterName addonName region"),
	"aws:eks/accessEntry:AccessEntry":                           words("clusterName principalArn type region"),
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation":   words("clusterName principalArn policyArn accessScope region"),
	"aws:eks/podIdentityAssociation:PodIdentityAssociation":     words("clusterName namespace serviceAccount region"),
	"aws:eks/fargateProfile:FargateProfile":                     words("clusterName fargateProfileName podExecutionRoleArn selectors subnetIds region"),
	"aws:efs/fileSystem:FileSystem":                             words("encrypted kmsKeyId performanceMode availabilityZoneName creationToken region"),
	"aws:efs/mountTarget:MountTarget":                           words("fileSystemId subnetId ipAddress ipAddressType region"),
	"aws:efs/accessPoint:AccessPoint":                           words("fileSystemId posixUser rootDirectory region"),
	"aws:efs/backupPolicy:BackupPolicy":                         words("fileSystemId region"),
	"aws:efs/fileSystemPolicy:FileSystemPolicy":                 words("fileSystemId region"),
	"aws:efs/replicationConfiguration:ReplicationConfiguration": words("sourceFileSystemId destination region"),
	"aws:iam/role:Role":                                         words("name namePrefix path"),
	"aws:iam/policy:Policy":                                     words("name namePrefix path description"),
	"aws:iam/rolePolicy:RolePolicy":                             words("name namePrefix role"),
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":         words("role policyArn"),
	"aws:iam/instanceProfile:InstanceProfile":                   words("name namePrefix path"),
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider":       words("url"),
	"aws:kms/key:Key":                                           words("customerMasterKeySpec keyUsage multiRegion customKeyStoreId region"),
	"aws:kms/alias:Alias":                                       words("name namePrefix region"),
	"aws:ecr/repository:Repository":                             words("name encryptionConfigurations region"),
	"aws:ecr/pullThroughCacheRule:PullThroughCacheRule":         words("ecrRepositoryPrefix upstreamRegistryUrl upstreamRepositoryPrefix region"),
	"aws:s3/bucket:Bucket":                                      words("bucket bucketPrefix objectLockEnabled region"),
	"aws:cloudwatch/logGroup:LogGroup":                          words("name namePrefix logGroupClass region"),
	"aws:cloudwatch/metricAlarm:MetricAlarm":                    words("name region"),
	"aws:rds/instance:Instance":                                 words("identifier identifierPrefix engine username availabilityZone dbName storageEncrypted kmsKeyId characterSetName snapshotIdentifier timezone region"),
	"aws:rds/subnetGroup:SubnetGroup":                           words("name namePrefix region"),
	"aws:rds/cluster:Cluster":                                   words("clusterIdentifier clusterIdentifierPrefix engine databaseName masterUsername storageEncrypted kmsKeyId region"),
	"aws:backup/vault:Vault":                                    words("name kmsKeyArn region"),
	"aws:backup/selection:Selection":                            words("name planId iamRoleArn resources notResources selectionTags conditions region"),
	"aws:autoscaling/group:Group":                               words("name namePrefix region"),
	"aws:secretsmanager/secret:Secret":                          words("name namePrefix region"),
	"aws:secretsmanager/secretVersion:SecretVersion":            words("secretId secretString secretBinary region"),
	"aws:ssm/parameter:Parameter":                               words("name region"),
	"aws:sns/topic:Topic":                                       words("name namePrefix fifoTopic region"),
	"aws:sqs/queue:Queue":                                       words("name namePrefix fifoQueue region"),
	"aws:route53/zone:Zone":                                     words("name"),
	"aws:route53/record:Record":                                 words("name type zoneId setIdentifier"),
	"aws:acm/certificate:Certificate":                           words("domainName subjectAlternativeNames validationMethod keyAlgorithm region"),
	"aws:lb/loadBalancer:LoadBalancer":                          words("name namePrefix internal loadBalancerType region"),
	"aws:lb/targetGroup:TargetGroup":                            words("name namePrefix port protocol targetType vpcId region"),
	"aws:budgets/budget:Budget":                                 words("name namePrefix"),
}

// replaceKeys is forceNew plus the documented ones.
func replaceKeys(typ string) map[string]bool {
	keys := map[string]bool{}
	for _, k := range typeTable()[typ].ForceNew {
		keys[k] = true
	}
	for _, k := range forceNew[typ] {
		if strings.HasPrefix(k, "-") {
			delete(keys, k[1:])
		} else {
			keys[k] = true
		}
	}
	return keys
}

// naming: the input that gets an automatic name, and the longest name AWS takes.
type naming struct {
	prop string
	max  int
}

var autoname = map[string]naming{
	"aws:iam/role:Role":                       {"name", 64},
	"aws:iam/policy:Policy":                   {"name", 128},
	"aws:iam/rolePolicy:RolePolicy":           {"name", 128},
	"aws:iam/instanceProfile:InstanceProfile": {"name", 128},
	"aws:iam/user:User":                       {"name", 64},
	"aws:iam/group:Group":                     {"name", 128},
	"aws:eks/cluster:Cluster":                 {"name", 100},
	"aws:eks/nodeGroup:NodeGroup":             {"nodeGroupName", 63},
	"aws:eks/fargateProfile:FargateProfile":   {"fargateProfileName", 100},
	"aws:ec2/securityGroup:SecurityGroup":     {"name", 255},
	"aws:ec2/launchTemplate:LaunchTemplate":   {"name", 125},
	"aws:ec2/keyPair:KeyPair":                 {"keyName", 255},
	"aws:ecr/repository:Repository":           {"name", 256},
	"aws:s3/bucket:Bucket":                    {"bucket", 63},
	"aws:cloudwatch/logGroup:LogGroup":        {"name", 512},
	"aws:cloudwatch/metricAlarm:MetricAlarm":  {"name", 255},
	"aws:cloudwatch/eventRule:EventRule":      {"name", 64},
	"aws:rds/instance:Instance":               {"identifier", 63},
	"aws:rds/cluster:Cluster":                 {"clusterIdentifier", 63},
	"aws:rds/subnetGroup:SubnetGroup":         {"name", 255},
	"aws:rds/parameterGroup:ParameterGroup":   {"name", 255},
	"aws:backup/vault:Vault":                  {"name", 50},
	"aws:backup/plan:Plan":                    {"name", 50},
	"aws:backup/selection:Selection":          {"name", 50},
	"aws:autoscaling/group:Group":             {"name", 255},
	"aws:secretsmanager/secret:Secret":        {"name", 512},
	"aws:sns/topic:Topic":                     {"name", 256},
	"aws:sqs/queue:Queue":                     {"name", 80},
	"aws:ssm/parameter:Parameter":             {"name", 2048},
	"aws:lb/loadBalancer:LoadBalancer":        {"name", 32},
	"aws:lb/targetGroup:TargetGroup":          {"name", 32},
	"aws:budgets/budget:Budget":               {"name", 100},
	"aws:lambda/function:Function":            {"name", 64},
}

// blockers: a resource cannot be deleted while one of these types points at its id.
var blockers = map[string][]string{
	"aws:ec2/vpc:Vpc": words(`aws:ec2/subnet:Subnet aws:ec2/securityGroup:SecurityGroup aws:ec2/internetGateway:InternetGateway
		aws:ec2/routeTable:RouteTable aws:ec2/vpcEndpoint:VpcEndpoint`),
	"aws:ec2/subnet:Subnet": words(`aws:efs/mountTarget:MountTarget aws:eks/nodeGroup:NodeGroup aws:eks/cluster:Cluster
		aws:ec2/natGateway:NatGateway aws:ec2/vpcEndpoint:VpcEndpoint aws:ec2/instance:Instance aws:rds/subnetGroup:SubnetGroup`),
	"aws:ec2/securityGroup:SecurityGroup": words(`aws:efs/mountTarget:MountTarget aws:eks/cluster:Cluster aws:ec2/vpcEndpoint:VpcEndpoint
		aws:ec2/instance:Instance aws:rds/instance:Instance aws:ec2/securityGroup:SecurityGroup`),
	"aws:ec2/routeTable:RouteTable":           words("aws:ec2/routeTableAssociation:RouteTableAssociation"),
	"aws:ec2/eip:Eip":                         words("aws:ec2/natGateway:NatGateway"),
	"aws:efs/fileSystem:FileSystem":           words("aws:efs/mountTarget:MountTarget"),
	"aws:eks/cluster:Cluster":                 words("aws:eks/nodeGroup:NodeGroup aws:eks/fargateProfile:FargateProfile"),
	"aws:iam/role:Role":                       words("aws:iam/rolePolicyAttachment:RolePolicyAttachment aws:iam/rolePolicy:RolePolicy aws:iam/instanceProfile:InstanceProfile"),
	"aws:iam/policy:Policy":                   words("aws:iam/rolePolicyAttachment:RolePolicyAttachment"),
	"aws:rds/subnetGroup:SubnetGroup":         words("aws:rds/instance:Instance"),
	"aws:lb/targetGroup:TargetGroup":          words("aws:lb/listener:Listener"),
	"aws:ec2/internetGateway:InternetGateway": nil,
}

// references: inputs that must name something that exists, when a program creates the resource.
var references = map[string]string{
	"vpcId": "aws:ec2/vpc:Vpc", "subnetId": "aws:ec2/subnet:Subnet", "subnetIds": "aws:ec2/subnet:Subnet",
	"fileSystemId": "aws:efs/fileSystem:FileSystem", "sourceFileSystemId": "aws:efs/fileSystem:FileSystem",
	"securityGroupId": "aws:ec2/securityGroup:SecurityGroup", "sourceSecurityGroupId": "aws:ec2/securityGroup:SecurityGroup",
	"securityGroups": "aws:ec2/securityGroup:SecurityGroup", "securityGroupIds": "aws:ec2/securityGroup:SecurityGroup",
	"vpcSecurityGroupIds": "aws:ec2/securityGroup:SecurityGroup", "routeTableId": "aws:ec2/routeTable:RouteTable",
	"allocationId": "aws:ec2/eip:Eip", "vpcZoneIdentifiers": "aws:ec2/subnet:Subnet", "natGatewayId": "aws:ec2/natGateway:NatGateway",
}

// seconds: roughly how long AWS takes to create one; used with $FAKE_AWS_LATENCY_SCALE.
var seconds = map[string]float64{
	"aws:eks/cluster:Cluster": 540, "aws:eks/nodeGroup:NodeGroup": 110, "aws:eks/addon:Addon": 35,
	"aws:ec2/natGateway:NatGateway": 100, "aws:ec2/vpcEndpoint:VpcEndpoint": 60, "aws:efs/mountTarget:MountTarget": 85,
	"aws:efs/fileSystem:FileSystem": 6, "aws:rds/instance:Instance": 420, "aws:ec2/vpc:Vpc": 12, "aws:ec2/subnet:Subnet": 11,
	"aws:kms/key:Key": 20, "aws:lb/loadBalancer:LoadBalancer": 150, "aws:acm/certificateValidation:CertificateValidation": 60,
}
