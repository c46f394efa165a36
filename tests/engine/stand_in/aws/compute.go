package main

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// cloud is what the provider was configured with.
type cloud struct {
	account, region, partition string
	defaultTags                map[string]any
}

func (c cloud) arn(service, resource string) string {
	region := c.region
	if service == "iam" || service == "route53" || service == "budgets" {
		region = ""
	}
	return "arn:" + c.partition + ":" + service + ":" + region + ":" + c.account + ":" + resource
}

// maker computes ids and outputs of one resource from its (plain) inputs.
type maker struct {
	cloud
	acct   *Account
	typ    string
	urn    string
	in     map[string]any
	region string
}

func (m *maker) str(path string) string { s, _ := dig(m.in, path).(string); return s }

func (m *maker) hex(n int) string { return m.acct.hexID(m.urn, n) }

// dig follows a dotted path through maps.
func dig(v any, path string) any {
	for _, part := range strings.Split(path, ".") {
		obj, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = obj[part]
	}
	return v
}

var idPrefix = map[string]string{
	"aws:ec2/vpc:Vpc": "vpc-", "aws:ec2/subnet:Subnet": "subnet-", "aws:ec2/securityGroup:SecurityGroup": "sg-",
	"aws:ec2/internetGateway:InternetGateway": "igw-", "aws:ec2/natGateway:NatGateway": "nat-", "aws:ec2/routeTable:RouteTable": "rtb-",
	"aws:ec2/route:Route": "r-rtb-", "aws:ec2/routeTableAssociation:RouteTableAssociation": "rtbassoc-", "aws:ec2/eip:Eip": "eipalloc-",
	"aws:ec2/vpcEndpoint:VpcEndpoint": "vpce-", "aws:ec2/launchTemplate:LaunchTemplate": "lt-", "aws:ec2/flowLog:FlowLog": "fl-",
	"aws:ec2/securityGroupRule:SecurityGroupRule": "sgrule-", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "sgr-",
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "sgr-", "aws:ec2/instance:Instance": "i-", "aws:ec2/volume:Volume": "vol-",
	"aws:ec2/networkInterface:NetworkInterface": "eni-", "aws:ec2/networkAcl:NetworkAcl": "acl-", "aws:ec2/vpcDhcpOptions:VpcDhcpOptions": "dopt-",
	"aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "pcx-", "aws:efs/fileSystem:FileSystem": "fs-", "aws:efs/accessPoint:AccessPoint": "fsap-",
	"aws:efs/mountTarget:MountTarget": "fsmt-", "aws:eks/podIdentityAssociation:PodIdentityAssociation": "a-",
	"aws:dlm/lifecyclePolicy:LifecyclePolicy": "policy-", "aws:ec2/managedPrefixList:ManagedPrefixList": "pl-",
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": "eigw-", "aws:ec2/subnetCidrReservation:SubnetCidrReservation": "scr-",
}

// byName: types whose id is one of their inputs.
var byName = map[string]string{
	"aws:eks/cluster:Cluster": "name", "aws:iam/role:Role": "name", "aws:iam/user:User": "name", "aws:iam/group:Group": "name",
	"aws:iam/instanceProfile:InstanceProfile": "name", "aws:ecr/repository:Repository": "name", "aws:s3/bucket:Bucket": "bucket",
	"aws:cloudwatch/logGroup:LogGroup": "name", "aws:cloudwatch/metricAlarm:MetricAlarm": "name", "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
	"aws:cloudwatch/eventRule:EventRule": "name", "aws:kms/alias:Alias": "name", "aws:ssm/parameter:Parameter": "name",
	"aws:rds/instance:Instance": "identifier", "aws:rds/cluster:Cluster": "clusterIdentifier", "aws:rds/subnetGroup:SubnetGroup": "name",
	"aws:rds/parameterGroup:ParameterGroup": "name", "aws:autoscaling/group:Group": "name", "aws:backup/vault:Vault": "name",
	"aws:efs/backupPolicy:BackupPolicy": "fileSystemId", "aws:efs/fileSystemPolicy:FileSystemPolicy": "fileSystemId",
	"aws:efs/replicationConfiguration:ReplicationConfiguration": "sourceFileSystemId",
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                   "repository", "aws:ecr/repositoryPolicy:RepositoryPolicy": "repository",
	"aws:ecr/pullThroughCacheRule:PullThroughCacheRule": "ecrRepositoryPrefix", "aws:ec2/keyPair:KeyPair": "keyName",
	"aws:backup/vaultLockConfiguration:VaultLockConfiguration": "backupVaultName", "aws:backup/vaultPolicy:VaultPolicy": "backupVaultName",
	"aws:backup/vaultNotifications:VaultNotifications": "backupVaultName", "aws:lambda/function:Function": "name",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "bucket", "aws:s3/bucketPolicy:BucketPolicy": "bucket",
	"aws:s3/bucketVersioning:BucketVersioning": "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "bucket",
}

// unique types: a second one of the same id is refused, as AWS does.
var conflictText = map[string]string{
	"aws:iam/role:Role":                       "EntityAlreadyExists: Role with name %s already exists.",
	"aws:iam/policy:Policy":                   "EntityAlreadyExists: A policy called %s already exists. Duplicate names are not allowed.",
	"aws:eks/cluster:Cluster":                 "ResourceInUseException: Cluster already exists with name: %s",
	"aws:eks/nodeGroup:NodeGroup":             "ResourceInUseException: NodeGroup already exists with name %s",
	"aws:eks/addon:Addon":                     "ResourceInUseException: Addon already exists. (%s)",
	"aws:eks/accessEntry:AccessEntry":         "ResourceInUseException: The specified access entry resource is already in use on this cluster. (%s)",
	"aws:ecr/repository:Repository":           "RepositoryAlreadyExistsException: The repository with name '%s' already exists",
	"aws:cloudwatch/logGroup:LogGroup":        "ResourceAlreadyExistsException: The specified log group already exists (%s)",
	"aws:kms/alias:Alias":                     "AlreadyExistsException: An alias with the name %s already exists",
	"aws:rds/instance:Instance":               "DBInstanceAlreadyExists: DB instance already exists (%s)",
	"aws:backup/vault:Vault":                  "AlreadyExistsException: Backup vault with the same name already exists (%s)",
	"aws:s3/bucket:Bucket":                    "BucketAlreadyOwnedByYou: %s",
	"aws:ssm/parameter:Parameter":             "ParameterAlreadyExists: The parameter already exists (%s)",
	"aws:iam/instanceProfile:InstanceProfile": "EntityAlreadyExists: Instance Profile %s already exists.",
	"aws:autoscaling/group:Group":             "AlreadyExists: AutoScalingGroup by this name already exists - A group with the name %s already exists",
	"aws:rds/subnetGroup:SubnetGroup":         "DBSubnetGroupAlreadyExists: The DB subnet group already exists (%s)",
}

// id gives the resource its real-looking id.
func (m *maker) id() string {
	if isKubernetes(m.typ) {
		return m.kubeID()
	}
	if prop, ok := byName[m.typ]; ok && m.str(prop) != "" {
		return m.str(prop)
	}
	if prefix, ok := idPrefix[m.typ]; ok {
		return prefix + "0" + m.hex(16)
	}
	switch m.typ {
	case "aws:eks/nodeGroup:NodeGroup":
		return m.str("clusterName") + ":" + m.str("nodeGroupName")
	case "aws:eks/fargateProfile:FargateProfile":
		return m.str("clusterName") + ":" + m.str("fargateProfileName")
	case "aws:eks/addon:Addon":
		return m.str("clusterName") + ":" + m.str("addonName")
	case "aws:eks/accessEntry:AccessEntry":
		return m.str("clusterName") + ":" + m.str("principalArn")
	case "aws:eks/accessPolicyAssociation:AccessPolicyAssociation":
		return m.str("clusterName") + "#" + m.str("principalArn") + "#" + m.str("policyArn")
	case "aws:kms/grant:Grant":
		return m.str("keyId") + ":" + m.hex(64)
	case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
		for _, r := range m.acct.ofType("aws:ec2/securityGroup:SecurityGroup") { // adopted, not made
			if r.Owner == key("aws:ec2/vpc:Vpc", m.str("vpcId")) {
				return r.ID
			}
		}
	case "aws:iam/policy:Policy":
		return m.cloud.arn("iam", "policy"+pathOf(m.str("path"))+m.str("name"))
	case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
		return lastPart(m.str("role")) + "/" + m.str("policyArn")
	case "aws:iam/rolePolicy:RolePolicy":
		return lastPart(m.str("role")) + ":" + m.str("name")
	case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
		return m.cloud.arn("iam", "oidc-provider/"+strings.TrimPrefix(m.str("url"), "https://"))
	case "aws:sns/topic:Topic":
		return m.arn("sns", m.str("name"))
	case "aws:sqs/queue:Queue":
		return "https://sqs." + m.region + ".amazonaws.com/" + m.account + "/" + m.str("name")
	case "aws:secretsmanager/secret:Secret":
		return m.arn("secretsmanager", "secret:"+m.str("name")+"-"+m.hex(6))
	case "aws:secretsmanager/secretVersion:SecretVersion":
		return m.str("secretId") + "|" + uuid(m.hex(32))
	case "aws:acm/certificate:Certificate":
		return m.arn("acm", "certificate/"+uuid(m.hex(32)))
	case "aws:lb/loadBalancer:LoadBalancer":
		return m.arn("elasticloadbalancing", "loadbalancer/app/"+m.str("name")+"/"+m.hex(16))
	case "aws:lb/targetGroup:TargetGroup":
		return m.arn("elasticloadbalancing", "targetgroup/"+m.str("name")+"/"+m.hex(16))
	case "aws:route53/zone:Zone":
		return "Z" + strings.ToUpper(m.hex(20))
	case "aws:route53/record:Record":
		return m.str("zoneId") + "_" + m.str("name") + "_" + m.str("type")
	case "aws:budgets/budget:Budget":
		return m.account + ":" + m.str("name")
	}
	return uuid(m.hex(32))
}

func (m *maker) arn(service, resource string) string {
	c := m.cloud
	c.region = m.region
	return c.arn(service, resource)
}

func pathOf(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

func lastPart(s string) string { return s[strings.LastIndex(s, "/")+1:] }

// prefixLength helps in address arithmetic of subnets.
func parsePrefix(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

// implicit stores a resource that AWS makes along with its owner.
func (m *maker) implicit(owner, typ, id string, outputs map[string]any) string {
	m.acct.put(&Record{Type: typ, ID: id, Owner: owner, Inputs: outputs, Outputs: outputs})
	return id
}

// outputs returns the computed properties of the resource, by its id. old is nil on create.
func (m *maker) outputs(id string, old map[string]any) map[string]any {
	if isKubernetes(m.typ) {
		return m.kubeOutputs(old)
	}
	out := map[string]any{}
	m.general(id, out)
	if fn, ok := special[m.typ]; ok {
		fn(m, id, old, out)
	}
	for k, v := range old { // what AWS once gave stays, except for what this update changed
		if _, input := m.in[k]; !input && !volatile[m.typ+"."+k] {
			if _, set := out[k]; set || contains(typeTable()[m.typ].Outputs, k) {
				if k != "tagsAll" {
					out[k] = v
				}
			}
		}
	}
	return out
}

// volatile outputs change with every update.
var volatile = map[string]bool{
	"aws:ec2/launchTemplate:LaunchTemplate.latestVersion": true,
	"aws:ssm/parameter:Parameter.version":                 true,
	"aws:backup/plan:Plan.version":                        true,
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// general fills the outputs that most types have, going by their names.
func (m *maker) general(id string, out map[string]any) {
	info, known := typeTable()[m.typ]
	service, kind := serviceOf(m.typ)
	arn := id
	if !strings.HasPrefix(id, "arn:") {
		arn = m.arn(service, kind+"/"+id)
	}
	if contains(info.Inputs, "region") || !known {
		out["region"] = m.region
	}
	if contains(info.Outputs, "tagsAll") || (!known && m.in["tags"] != nil) {
		out["tagsAll"] = m.tagsAll()
	}
	if !known {
		out["arn"] = arn
	}
	for _, name := range info.Outputs {
		switch {
		case name == "arn":
			out[name] = arn
		case name == "ownerId" || name == "registryId" || name == "accountId":
			out[name] = m.account
		case name == "status":
			out[name] = "ACTIVE"
		case strings.HasPrefix(name, "create") || strings.HasSuffix(name, "edAt"):
			out[name] = "2026-01-01T00:00:00Z"
		case name == "uniqueId":
			out[name] = "AROA" + strings.ToUpper(m.hex(17))
		}
	}
}

func (m *maker) tagsAll() map[string]any {
	all := map[string]any{}
	for k, v := range m.defaultTags {
		all[k] = v
	}
	if tags, ok := m.in["tags"].(map[string]any); ok {
		for k, v := range tags {
			all[k] = v
		}
	}
	return all
}

// serviceOf: "aws:eks/nodeGroup:NodeGroup" -> "eks", "nodegroup".
func serviceOf(typ string) (string, string) {
	parts := strings.Split(typ, ":")
	if len(parts) < 3 {
		return "aws", "resource"
	}
	module, name, ok := strings.Cut(parts[1], "/")
	if !ok {
		name = parts[2]
	}
	switch module {
	case "efs":
		return "elasticfilesystem", map[string]string{"fileSystem": "file-system", "accessPoint": "access-point", "mountTarget": "file-system"}[name]
	case "lb":
		return "elasticloadbalancing", name
	case "ec2":
		if kind, ok := ec2Kinds[name]; ok {
			return "ec2", kind
		}
	case "cloudwatch":
		return "logs", "log-group"
	case "vpc":
		return "ec2", "security-group-rule"
	case "backup":
		return "backup", "backup-" + strings.ToLower(name)
	}
	return module, strings.ToLower(name)
}

var ec2Kinds = map[string]string{
	"securityGroup": "security-group", "internetGateway": "internet-gateway", "natGateway": "natgateway", "routeTable": "route-table",
	"vpcEndpoint": "vpc-endpoint", "launchTemplate": "launch-template", "eip": "elastic-ip", "flowLog": "vpc-flow-log",
}

type computeFunc func(m *maker, id string, old, out map[string]any)

var special = map[string]computeFunc{
	"aws:ec2/vpc:Vpc":                       computeVpc,
	"aws:ec2/subnet:Subnet":                 computeSubnet,
	"aws:ec2/eip:Eip":                       computeEip,
	"aws:ec2/natGateway:NatGateway":         computeNat,
	"aws:ec2/vpcEndpoint:VpcEndpoint":       computeEndpoint,
	"aws:ec2/launchTemplate:LaunchTemplate": computeTemplate,
	"aws:eks/cluster:Cluster":               computeCluster,
	"aws:eks/nodeGroup:NodeGroup":           computeNodeGroup,
	"aws:efs/fileSystem:FileSystem":         computeFileSystem,
	"aws:efs/mountTarget:MountTarget":       computeMountTarget,
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": func(m *maker, id string, _, out map[string]any) {
		out["url"] = strings.TrimPrefix(m.str("url"), "https://")
		if m.in["thumbprintLists"] == nil {
			out["thumbprintLists"] = []any{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}
		}
	},
	"aws:iam/role:Role": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.cloud.arn("iam", "role"+pathOf(m.str("path"))+id)
		out["path"], out["maxSessionDuration"] = "/", 3600.0
	},
	"aws:iam/policy:Policy": func(m *maker, id string, _, out map[string]any) {
		out["policyId"], out["path"] = "ANPA"+strings.ToUpper(m.hex(17)), "/"
	},
	"aws:iam/instanceProfile:InstanceProfile": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.cloud.arn("iam", "instance-profile"+pathOf(m.str("path"))+id)
	},
	"aws:ecr/repository:Repository": func(m *maker, id string, _, out map[string]any) {
		out["repositoryUrl"] = m.account + ".dkr.ecr." + m.region + ".amazonaws.com/" + id
	},
	"aws:kms/grant:Grant": func(m *maker, id string, _, out map[string]any) {
		out["grantId"], out["grantToken"] = lastPart(strings.ReplaceAll(id, ":", "/")), m.hex(64)
	},
	"aws:ec2/subnetCidrReservation:SubnetCidrReservation": func(m *maker, id string, _, out map[string]any) {
		out["ownerId"] = m.account
	},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": func(m *maker, id string, _, out map[string]any) {
		out["name"], out["description"] = "default", "default VPC security group"
		out["arn"] = m.arn("ec2", "security-group/"+id)
	},
	"aws:kms/key:Key": func(m *maker, id string, _, out map[string]any) {
		out["keyId"], out["arn"] = id, m.arn("kms", "key/"+id)
	},
	"aws:kms/alias:Alias": func(m *maker, id string, _, out map[string]any) {
		out["arn"], out["targetKeyArn"] = m.arn("kms", id), m.arn("kms", "key/"+m.str("targetKeyId"))
	},
	"aws:backup/vault:Vault": func(m *maker, id string, _, out map[string]any) {
		out["arn"], out["recoveryPoints"] = m.arn("backup", "backup-vault:"+id), 0.0
	},
	"aws:backup/plan:Plan": func(m *maker, id string, _, out map[string]any) {
		out["arn"], out["version"] = m.arn("backup", "backup-plan:"+id), m.hex(12)
	},
	"aws:cloudwatch/logGroup:LogGroup": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.arn("logs", "log-group:"+id)
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.arn("cloudwatch", "alarm:"+id)
	},
	"aws:s3/bucket:Bucket": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = "arn:" + m.partition + ":s3:::" + id
		out["bucketDomainName"], out["bucketRegionalDomainName"] = id+".s3.amazonaws.com", id+".s3."+m.region+".amazonaws.com"
	},
	"aws:rds/instance:Instance": func(m *maker, id string, _, out map[string]any) {
		out["arn"], out["address"], out["port"] = m.arn("rds", "db:"+id), id+"."+m.hex(12)+"."+m.region+".rds.amazonaws.com", 5432.0
		out["endpoint"] = out["address"].(string) + ":5432"
		out["resourceId"], out["status"] = "db-"+strings.ToUpper(m.hex(26)), "available"
	},
	"aws:ssm/parameter:Parameter": func(m *maker, id string, old, out map[string]any) {
		out["arn"], out["version"] = m.arn("ssm", "parameter/"+strings.TrimPrefix(id, "/")), bump(old, "version")
	},
	"aws:secretsmanager/secret:Secret": func(m *maker, id string, _, out map[string]any) { out["arn"] = id },
	"aws:secretsmanager/secretVersion:SecretVersion": func(m *maker, id string, _, out map[string]any) {
		out["arn"], out["versionId"] = m.str("secretId"), id[strings.LastIndex(id, "|")+1:]
		out["versionStages"] = []any{"AWSCURRENT"}
	},
	"aws:autoscaling/group:Group": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.arn("autoscaling", "autoScalingGroup:"+uuid(m.hex(32))+":autoScalingGroupName/"+id)
		out["desiredCapacity"], out["healthCheckType"] = m.in["minSize"], "EC2"
	},
	"aws:route53/zone:Zone": func(m *maker, id string, _, out map[string]any) {
		out["zoneId"], out["nameServers"] = id, []any{"ns-1.awsdns-00.com", "ns-2.awsdns-00.net"}
	},
	"aws:lb/targetGroup:TargetGroup": func(m *maker, id string, _, out map[string]any) {
		out["arnSuffix"] = id[strings.LastIndex(id, ":")+1:]
	},
	"aws:lb/loadBalancer:LoadBalancer": func(m *maker, id string, _, out map[string]any) {
		out["arnSuffix"] = strings.TrimPrefix(id[strings.LastIndex(id, ":")+1:], "loadbalancer/")
		out["dnsName"], out["zoneId"] = m.str("name")+"-1234567890."+m.region+".elb.amazonaws.com", "Z35SXDOTRQ7X7K"
	},
	"aws:acm/certificate:Certificate": func(m *maker, id string, _, out map[string]any) {
		out["domainValidationOptions"] = []any{map[string]any{
			"domainName": m.str("domainName"), "resourceRecordName": "_" + m.hex(32) + "." + m.str("domainName") + ".",
			"resourceRecordType": "CNAME", "resourceRecordValue": "_" + m.hex(32) + ".acm-validations.aws.",
		}}
	},
	"aws:route53/record:Record": func(m *maker, id string, _, out map[string]any) {
		out["fqdn"] = strings.TrimSuffix(m.str("name"), ".")
	},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": func(m *maker, id string, _, out map[string]any) {
		out["associationId"] = id
		out["associationArn"] = m.arn("eks", "podidentityassociation/"+m.str("clusterName")+"/"+id)
	},
	"aws:eks/accessEntry:AccessEntry": func(m *maker, id string, _, out map[string]any) {
		out["accessEntryArn"] = m.arn("eks", "access-entry/"+m.str("clusterName")+"/role/"+m.account+"/"+lastPart(m.str("principalArn"))+"/"+uuid(m.hex(32)))
		out["type"], out["userName"] = "STANDARD", m.str("principalArn")
	},
	"aws:eks/addon:Addon": func(m *maker, id string, _, out map[string]any) {
		out["arn"] = m.arn("eks", "addon/"+m.str("clusterName")+"/"+m.str("addonName")+"/"+uuid(m.hex(32)))
		out["addonVersion"] = addonVersion(m.str("addonName"))
	},
}

func bump(old map[string]any, name string) float64 {
	n, _ := old[name].(float64)
	return n + 1
}

func computeVpc(m *maker, id string, old, out map[string]any) {
	out["enableDnsSupport"], out["enableDnsHostnames"], out["instanceTenancy"] = true, false, "default"
	out["dhcpOptionsId"] = "dopt-0" + m.hex(16)
	if old != nil {
		return
	}
	owner := key(m.typ, id)
	sg, rtb, acl := "sg-0"+m.hex(16), "rtb-0"+m.hex(16), "acl-0"+m.hex(16)
	out["defaultSecurityGroupId"] = m.implicit(owner, "aws:ec2/securityGroup:SecurityGroup", sg,
		map[string]any{"name": "default", "vpcId": id, "description": "default VPC security group"})
	out["mainRouteTableId"] = m.implicit(owner, "aws:ec2/routeTable:RouteTable", rtb, map[string]any{"vpcId": id})
	out["defaultRouteTableId"] = rtb
	out["defaultNetworkAclId"] = m.implicit(owner, "aws:ec2/networkAcl:NetworkAcl", acl, map[string]any{"vpcId": id})
}

var zones = []string{"a", "b", "c"}

func zoneID(region, zone string) string {
	short := strings.NewReplacer("us-east-", "use", "us-west-", "usw", "eu-west-", "euw", "eu-central-", "euc").Replace(region)
	return fmt.Sprintf("%s-az%d", short, strings.Index("abc", strings.TrimPrefix(zone, region))+1)
}

func computeSubnet(m *maker, id string, _, out map[string]any) {
	zone := m.str("availabilityZone")
	if zone == "" {
		zone = m.region + zones[len(m.acct.ofType(m.typ))%len(zones)]
		out["availabilityZone"] = zone
	}
	out["availabilityZoneId"] = zoneID(m.region, zone)
	out["mapPublicIpOnLaunch"] = false
}

func computeEip(m *maker, id string, _, out map[string]any) {
	h := m.hex(4)
	var a, b int
	fmt.Sscanf(h[:2], "%x", &a)
	fmt.Sscanf(h[2:], "%x", &b)
	ip := fmt.Sprintf("203.0.%d.%d", a, b)
	out["publicIp"], out["allocationId"], out["domain"] = ip, id, "vpc"
	out["publicDns"] = "ec2-" + strings.ReplaceAll(ip, ".", "-") + ".compute.amazonaws.com"
}

func computeNat(m *maker, id string, _, out map[string]any) {
	out["networkInterfaceId"], out["associationId"] = "eni-0"+m.hex(16), "eipassoc-0"+m.hex(16)
	out["privateIp"] = "10.0.0.5"
	if eip := m.acct.get("aws:ec2/eip:Eip", m.str("allocationId")); eip != nil {
		out["publicIp"] = eip.Outputs["publicIp"]
	}
}

func computeEndpoint(m *maker, id string, _, out map[string]any) {
	service := m.str("serviceName")
	short := service[strings.LastIndex(service, ".")+1:]
	out["state"], out["vpcEndpointType"], out["privateDnsEnabled"] = "available", "Gateway", false
	out["prefixListId"] = prefixList(short)
	out["dnsEntries"] = []any{map[string]any{"dnsName": id + "." + short + "." + m.region + ".vpce.amazonaws.com", "hostedZoneId": "Z7HUB22UULQXV"}}
	out["networkInterfaceIds"] = []any{}
	out["policy"] = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
}

func computeTemplate(m *maker, id string, old, out map[string]any) {
	out["latestVersion"] = bump(old, "latestVersion")
	out["defaultVersion"] = 1.0
	if up, _ := m.in["updateDefaultVersion"].(bool); up {
		out["defaultVersion"] = out["latestVersion"]
	}
}

func computeCluster(m *maker, id string, old, out map[string]any) {
	host := strings.ToUpper(m.hex(32))
	endpoint := envOr("FAKE_AWS_EKS_ENDPOINT", "https://"+host+".gr7."+m.region+".eks.amazonaws.com")
	ca := base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nZmFrZQ==\n-----END CERTIFICATE-----\n"))
	if pem, err := os.ReadFile(os.Getenv("FAKE_AWS_EKS_CA_FILE")); err == nil {
		ca = base64.StdEncoding.EncodeToString(pem)
	}
	out["endpoint"], out["certificateAuthority"] = endpoint, map[string]any{"data": ca}
	out["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": "https://oidc.eks." + m.region + ".amazonaws.com/id/" + host}}}}
	out["platformVersion"], out["version"] = "eks.9", "1.35"
	out["upgradePolicy"] = map[string]any{"supportType": "EXTENDED"}
	out["accessConfig"] = map[string]any{"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": true}
	out["kubernetesNetworkConfig"] = map[string]any{"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}
	if old != nil {
		return
	}
	vpc := ""
	if ids, ok := dig(m.in, "vpcConfig.subnetIds").([]any); ok && len(ids) > 0 {
		if s := m.acct.get("aws:ec2/subnet:Subnet", fmt.Sprint(ids[0])); s != nil {
			vpc, _ = s.Inputs["vpcId"].(string)
		}
	}
	sg := m.implicit(key(m.typ, id), "aws:ec2/securityGroup:SecurityGroup", "sg-0"+m.hex(16),
		map[string]any{"name": "eks-cluster-sg-" + id, "vpcId": vpc, "description": "EKS created security group"})
	if grants, _ := dig(m.in, "accessConfig.bootstrapClusterCreatorAdminPermissions").(bool); grants {
		m.entry(id, id, m.cloud.arn("iam", "user/stand-in"))
	}
	out["vpcConfig"] = map[string]any{"clusterSecurityGroupId": sg, "vpcId": vpc, "endpointPrivateAccess": false,
		"endpointPublicAccess": true, "publicAccessCidrs": []any{"0.0.0.0/0"}, "securityGroupIds": []any{}}
}

// entry is an access entry that EKS makes by itself, for owner, in the API modes.
func (m *maker) entry(owner, cluster, principal string) {
	kind := "aws:eks/accessEntry:AccessEntry"
	if id := cluster + ":" + principal; m.acct.get(kind, id) == nil {
		m.implicit(key(m.typ, owner), kind, id, map[string]any{"clusterName": cluster, "principalArn": principal})
	}
}

func computeNodeGroup(m *maker, id string, old, out map[string]any) {
	out["amiType"], out["capacityType"] = "AL2023_x86_64_STANDARD", "ON_DEMAND"
	if m.in["launchTemplate"] == nil {
		out["diskSize"] = 20.0
	}
	out["instanceTypes"] = []any{"t3.medium"}
	out["version"] = "1.35"
	if c := m.acct.get("aws:eks/cluster:Cluster", m.str("clusterName")); c != nil {
		out["version"] = c.Outputs["version"]
	}
	out["releaseVersion"] = fmt.Sprint(out["version"]) + ".4-20260724"
	out["updateConfig"] = map[string]any{"maxUnavailable": 1.0}
	if old != nil {
		return
	}
	m.entry(id, m.str("clusterName"), m.str("nodeRoleArn"))
	asg := "eks-" + m.str("nodeGroupName") + "-" + uuid(m.hex(32))
	m.implicit(key(m.typ, id), "aws:autoscaling/group:Group", asg, map[string]any{"name": asg})
	out["resources"] = []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": asg}}, "remoteAccessSecurityGroupId": ""}}
}

func computeFileSystem(m *maker, id string, _, out map[string]any) {
	out["dnsName"] = id + ".efs." + m.region + ".amazonaws.com"
	out["performanceMode"], out["throughputMode"], out["encrypted"] = "generalPurpose", "bursting", false
	out["creationToken"] = "pulumi-" + m.hex(24)
	out["numberOfMountTargets"] = 0.0
	out["name"] = m.str("tags.Name")
	out["sizeInBytes"] = []any{map[string]any{"value": 6144.0, "valueInIa": 0.0, "valueInStandard": 6144.0}}
}

func computeMountTarget(m *maker, id string, _, out map[string]any) {
	fs := m.str("fileSystemId")
	out["dnsName"], out["fileSystemArn"] = fs+".efs."+m.region+".amazonaws.com", m.arn("elasticfilesystem", "file-system/"+fs)
	out["networkInterfaceId"] = "eni-0" + m.hex(16)
	if s := m.acct.get("aws:ec2/subnet:Subnet", m.str("subnetId")); s != nil {
		out["availabilityZoneName"], out["availabilityZoneId"] = s.Outputs["availabilityZone"], s.Outputs["availabilityZoneId"]
		out["mountTargetDnsName"] = fmt.Sprint(s.Outputs["availabilityZone"]) + "." + fs + ".efs." + m.region + ".amazonaws.com"
		if p, ok := parsePrefix(fmt.Sprint(s.Inputs["cidrBlock"])); ok {
			out["ipAddress"] = p.Addr().Next().Next().Next().Next().Next().String()
		}
	}
}
