using System.Globalization;
using Serve.Admin;
using Serve.Specs;

namespace Serve.Cli.Display;

/// <summary>Formats the status of applications for <c>run</c>, <c>deploy</c> and <c>status</c>.</summary>
internal static class ApplicationStatusText
{
    /// <summary>Formats an enum value as Ray Serve does, for example <c>DEPLOY_FAILED</c>.</summary>
    public static string Upper(Enum value) =>
        System.Text.Json.JsonNamingPolicy.SnakeCaseUpper.ConvertName(value.ToString());

    /// <summary>Formats the numbers of running and wanted replicas, for example <c>1/2 replicas</c>.</summary>
    public static string Replicas(DeploymentDetails deployment) =>
        $"{deployment.Replicas.Count(replica => replica.State == ReplicaState.Running)}/{deployment.TargetNumReplicas} replicas";

    /// <summary>Formats the URL of an application, or <c>(no route)</c>.</summary>
    public static string Url(ServeInstanceDetails instance, ApplicationDetails application) =>
        string.IsNullOrEmpty(application.RoutePrefix)
            ? "(no route)"
            : instance.Proxies.Values.FirstOrDefault()?.Address?.TrimEnd('/') + instance.HttpOptions?.RootPath + application.RoutePrefix;

    /// <summary>Formats a running application: one line, and a line for each deployment if there are several.</summary>
    public static IEnumerable<string> Running(ServeInstanceDetails instance, ApplicationDetails application)
    {
        var deployments = application.Deployments.Values.OrderBy(deployment => deployment.Name != application.Ingress).ThenBy(deployment => deployment.Name, StringComparer.Ordinal).ToList();
        if (application.Canary is { IsPromoting: false } canary)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{application.Name}  canary revision {canary.Revision} receives {canary.Percent:0.##} % of the requests")
                + (canary.Shadow is { } shadow ? string.Create(CultureInfo.InvariantCulture, $" and copies of {shadow.Percent:0.##} % of the others") : "");
        }

        if (deployments is [var only])
        {
            yield return $"{application.Name}  {Replicas(only)}  {Url(instance, application)}{Protocol(application)}";
            foreach (var line in Notices(only, "  "))
                yield return line;
            yield break;
        }

        yield return $"{application.Name}  {Url(instance, application)}";
        var width = deployments.Select(deployment => deployment.Name.Length).DefaultIfEmpty().Max();
        foreach (var deployment in deployments)
        {
            yield return $"  {deployment.Name.PadRight(width)}  {Replicas(deployment)}";
            foreach (var line in Notices(deployment, "    "))
                yield return line;
        }
    }

    // The URL that clients send inference requests to.
    private static string Protocol(ApplicationDetails application) =>
        application.RoutePrefix?.StartsWith(ApplicationPackage.ModelPrefix, StringComparison.Ordinal) is true ? "/infer     (Open Inference Protocol v2)" : "";

    /// <summary>Formats an application with its deployments, replicas and messages.</summary>
    public static IEnumerable<string> Full(ServeInstanceDetails instance, ApplicationDetails application)
    {
        yield return $"{application.Name}  {Upper(application.Status)}  {Url(instance, application)}";
        // It repeats the messages of the deployments, if they have any.
        var ofDeployments = application.Deployments.Values.Any(deployment => deployment.Message.Length > 0 && application.Message.Contains(deployment.Message, StringComparison.Ordinal));
        foreach (var line in ofDeployments ? [] : Indented(application.Message, "  "))
            yield return line;
        foreach (var line in application.Deployments.Values.OrderBy(deployment => deployment.Name, StringComparer.Ordinal).SelectMany(Full).Concat(application.Canary is { } canary ? Full(canary) : []))
            yield return "  " + line;
    }

    private static IEnumerable<string> Full(DeploymentDetails deployment)
    {
        yield return $"{deployment.Name}  {Upper(deployment.Status)}  {Replicas(deployment)}";
        foreach (var line in Indented(deployment.Message, "  ").Concat(Scaling(deployment)).Concat(Notices(deployment, "  ")))
            yield return line;
        foreach (var replica in deployment.Replicas.OrderBy(replica => replica.Rank))
        {
            yield return $"  {Suffix(replica)}  {Upper(replica.State)}{(replica.Pid is { } pid ? $"  pid {pid}" : "")}";
            foreach (var line in Indented(replica.Message, "    "))
                yield return line;
        }
    }

    private static IEnumerable<string> Full(CanaryDetails canary)
    {
        yield return $"canary  revision {canary.Revision}  {(canary.IsPromoting ? "PROMOTING" : Upper(canary.Status))}";
        foreach (var line in Indented(canary.Reason, "  ").Concat(canary.Reason.Contains(canary.Message, StringComparison.Ordinal) ? [] : Indented(canary.Message, "  ")))
            yield return line;
        foreach (var requests in canary.Requests)
        {
            var latency = requests is { P50Ms: { } median, P99Ms: { } tail } ? string.Create(CultureInfo.InvariantCulture, $"  p50 {median:0.##} ms  p99 {tail:0.##} ms") : "";
            yield return string.Create(CultureInfo.InvariantCulture,
                $"  {requests.Role}  revision {requests.Revision}  {requests.Percent:0.##} %  {requests.Requests} requests  {requests.ErrorRate:0.##%} errors{latency}");
        }

        if (canary.Decisions is [var last, ..])
            yield return string.Create(CultureInfo.InvariantCulture, $"  last change {Time(last.TimestampS)}, {last.PrevPercent:0.##} % -> {last.CurrPercent:0.##} %: {last.Reason}");
        foreach (var line in canary.Deployments.Values.OrderBy(deployment => deployment.Name, StringComparer.Ordinal).SelectMany(Full))
            yield return "  " + line;
    }

    private static string Time(double seconds) => DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000)).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    private static IEnumerable<string> Scaling(DeploymentDetails deployment)
    {
        if (deployment.AutoscalingDetail is not { } detail)
            yield break;
        yield return $"  autoscaling: {detail.Reason}";
        if (detail.Decisions is [var last, ..])
            yield return $"  last scaled {Time(last.TimestampS)}, {last.PrevNumReplicas} -> {last.CurrNumReplicas}: {last.Reason}";
        foreach (var error in detail.Errors)
            yield return $"  autoscaling error: {error}";
    }

    private static IEnumerable<string> Notices(DeploymentDetails deployment, string indent) => deployment.Notices.SelectMany(notice => Indented("note: " + notice, indent));

    private static string Suffix(ReplicaDetails replica) =>
        ReplicaId.TryParse(replica.ReplicaId, out var id) ? id.Suffix : replica.ReplicaId;

    private static IEnumerable<string> Indented(string? text, string indent) =>
        string.IsNullOrWhiteSpace(text) ? [] : text.TrimEnd().Split('\n').Select(line => indent + line.TrimEnd('\r'));
}
