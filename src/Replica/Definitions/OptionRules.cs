using System.Globalization;
using System.Text.RegularExpressions;
using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>The ranges of what <see cref="DeploymentAttribute"/> sets.</summary>
internal static partial class OptionRules
{
    public static void Check(Type type, DeploymentOptions options, List<string> errors)
    {
        var resources = options.ActorOptions ?? new ResourceOptions();
        if (!ValidName().IsMatch(options.Name!))
            Wrong(nameof(DeploymentAttribute.Name), $"'{options.Name}'", "must be letters, digits, '-', '_' and '.', beginning with a letter or digit");
        Range(nameof(options.NumReplicas), options.NumReplicas, 0, 10_000);
        Range(nameof(options.MaxOngoingRequests), options.MaxOngoingRequests, 1, 1 << 29);
        Range(nameof(options.MaxQueuedRequests), options.MaxQueuedRequests, -1, int.MaxValue);
        Above(nameof(options.HealthCheckPeriodS), options.HealthCheckPeriodS, inclusive: false);
        Above(nameof(options.HealthCheckTimeoutS), options.HealthCheckTimeoutS, inclusive: false);
        Above(nameof(options.GracefulShutdownWaitLoopS), options.GracefulShutdownWaitLoopS, inclusive: true);
        Above(nameof(options.GracefulShutdownTimeoutS), options.GracefulShutdownTimeoutS, inclusive: true);
        Above(nameof(resources.NumCpus), resources.NumCpus, inclusive: true);
        Above(nameof(resources.NumGpus), resources.NumGpus, inclusive: true);
        Above(nameof(resources.Memory), resources.Memory, inclusive: true);
        if (resources.NumGpus is > 1 and var gpus && gpus % 1 != 0)
            Wrong(nameof(resources.NumGpus), Text(gpus), "must be whole above 1: a fraction shares one device");
        if (options.Concurrency is { } concurrency && !Enum.IsDefined(concurrency))
            Wrong(nameof(options.Concurrency), Text((int)concurrency), "must be TurnBased or Parallel");

        void Range(string key, int? value, int least, int most)
        {
            if (value < least || value > most)
                Wrong(key, Text(value.Value), most == int.MaxValue ? $"must be at least {least}" : $"must be {least} to {most}");
        }

        void Above(string key, double? value, bool inclusive)
        {
            if (value is { } given && !(double.IsFinite(given) && (inclusive ? given >= 0 : given > 0)))
                Wrong(key, Text(given), inclusive ? "must be at least 0" : "must be more than 0");
        }

        void Wrong(string key, string value, string rule) => errors.Add($"{type.FullName}: {key} is {value}; it {rule}.");
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex ValidName();
}
