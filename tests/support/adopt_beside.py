"""What stands beside a hub: AWS Backup, and what watches."""

from __future__ import annotations

from typing import Any

from tests.support.adopt_builder import Builder, Makers


class BackupMakers(Builder):
    """Vault, plan, and what moto lacks of them."""

    def _backup_makers(self) -> Makers:
        return {
            "aws:backup/vault:Vault": self._vault,
            "aws:backup/vaultPolicy:VaultPolicy": (
                lambda _name, given: self.lacking.vault_policies.update(
                    {given["backupVaultName"]: given["policy"]}
                )
            ),
            "aws:backup/plan:Plan": self._plan,
            "aws:backup/selection:Selection": self._selection,
        }

    def _vault(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._client("backup").create_backup_vault(
            BackupVaultName=given["name"],
            EncryptionKeyArn=given["kmsKeyArn"],
            BackupVaultTags=given["tags"],
        )
        return {"name": given["name"], "arn": made["BackupVaultArn"]}

    def _plan(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        rules = [
            {
                "RuleName": rule["ruleName"],
                "TargetBackupVaultName": rule["targetVaultName"],
                "ScheduleExpression": rule["schedule"],
                "ScheduleExpressionTimezone": rule["scheduleExpressionTimezone"],
                "StartWindowMinutes": int(rule["startWindow"]),
                "CompletionWindowMinutes": int(rule["completionWindow"]),
                "Lifecycle": {"DeleteAfterDays": int(rule["lifecycle"]["deleteAfter"])},
            }
            for rule in given["rules"]
        ]
        made = self._client("backup").create_backup_plan(
            BackupPlan={"BackupPlanName": given["name"], "Rules": rules},
            BackupPlanTags=given["tags"],
        )
        return {"id": made["BackupPlanId"]}

    def _selection(self, _name: str, given: dict[str, Any]) -> None:
        tags = [
            {
                "ConditionType": tag["type"],
                "ConditionKey": tag["key"],
                "ConditionValue": tag["value"],
            }
            for tag in given["selectionTags"]
        ]
        chosen = {
            "SelectionName": given["name"],
            "IamRoleArn": given["iamRoleArn"],
            "ListOfTags": tags,
        }
        self.lacking.selections.setdefault(given["planId"], []).append(chosen)


class WatchMakers(Builder):
    """The topic, alarms, and the rule of failed launches; log groups are the cluster's to make,
    for it has one too.
    """

    def _watch_makers(self) -> Makers:
        logs, events = self._client("logs"), self._client("events")
        return {
            "aws:sns/topic:Topic": self._topic,
            "aws:sns/topicPolicy:TopicPolicy": lambda _name, given: self._ignore(
                self._client("sns").set_topic_attributes(
                    TopicArn=given["arn"], AttributeName="Policy", AttributeValue=given["policy"]
                )
            ),
            "aws:cloudwatch/metricAlarm:MetricAlarm": self._alarm,
            "aws:cloudwatch/logMetricFilter:LogMetricFilter": self._filter,
            "aws:cloudwatch/eventRule:EventRule": lambda _name, given: {
                "name": given["name"],
                "arn": events.put_rule(
                    Name=given["name"],
                    Description=given["description"],
                    EventPattern=given["eventPattern"],
                )["RuleArn"],
            },
            "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": lambda _name, given: self._ignore(
                logs.put_resource_policy(
                    policyName=given["policyName"], policyDocument=given["policyDocument"]
                )
            ),
            "aws:cloudwatch/eventTarget:EventTarget": lambda _name, given: self._ignore(
                events.put_targets(
                    Rule=given["rule"], Targets=[{"Id": given["targetId"], "Arn": given["arn"]}]
                )
            ),
        }

    def _topic(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        return {
            "arn": (
                self._client("sns").create_topic(
                    Name=given["name"], Attributes={"KmsMasterKeyId": given["kmsMasterKeyId"]}
                )["TopicArn"]
            )
        }

    def _filter(self, _name: str, given: dict[str, Any]) -> None:
        made = given["metricTransformation"]
        transformation = {
            "metricName": made["name"],
            "metricNamespace": made["namespace"],
            "metricValue": made["value"],
        }
        if "dimensions" in made:
            transformation["dimensions"] = made["dimensions"]
        if "defaultValue" in made:
            transformation["defaultValue"] = float(made["defaultValue"])
        self._client("logs").put_metric_filter(
            logGroupName=given["logGroupName"],
            filterName=given["name"],
            filterPattern=given["pattern"],
            metricTransformations=[transformation],
        )

    def _alarm(self, _name: str, given: dict[str, Any]) -> None:
        alarm = {
            "AlarmName": given["name"],
            "AlarmDescription": given["alarmDescription"],
            "ComparisonOperator": given["comparisonOperator"],
            "Threshold": float(given["threshold"]),
            "EvaluationPeriods": int(given["evaluationPeriods"]),
            "TreatMissingData": given["treatMissingData"],
            "ActionsEnabled": given["actionsEnabled"],
            "AlarmActions": given["alarmActions"],
            "OKActions": given["okActions"],
        }
        self._client("cloudwatch").put_metric_alarm(**alarm, **self._measured(given))

    def _measured(self, given: dict[str, Any]) -> dict[str, Any]:
        if "metricQueries" not in given:
            measured = {
                "Namespace": given["namespace"],
                "MetricName": given["metricName"],
                "Statistic": given["statistic"],
                "Period": int(given["period"]),
            }
            return {
                **measured,
                "Dimensions": [
                    {"Name": name, "Value": value}
                    for name, value in given.get("dimensions", {}).items()
                ],
            }
        queries = []
        for query in given["metricQueries"]:
            found = {"Id": query["id"], "ReturnData": query["returnData"]}
            if "metric" in query:
                metric = query["metric"]
                dimensions = [
                    {"Name": name, "Value": value}
                    for name, value in metric.get("dimensions", {}).items()
                ]
                of = {
                    "Namespace": metric["namespace"],
                    "MetricName": metric["metricName"],
                    "Dimensions": dimensions,
                }
                found["MetricStat"] = {
                    "Metric": of,
                    "Period": int(metric["period"]),
                    "Stat": metric["stat"],
                }
            else:
                found |= {"Expression": query["expression"], "Label": query["label"]}
            queries.append(found)
        return {"Metrics": queries}
