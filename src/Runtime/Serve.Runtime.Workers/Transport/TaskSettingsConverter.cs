using System.Collections.Immutable;
using Serve.Runtime.Placement;
using Serve.Runtime.Scheduling;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Converts the options of tasks and calls to and from frames. A task's settings combine the caller's options and the attribute.</summary>
internal static class TaskSettingsConverter
{
    public static TaskSettings ToWire(RemoteFunction function, TaskOptions? options, bool isStream)
    {
        if (options?.RetryOn is not null)
            throw new NotSerializableException($"{function}: RetryOn of TaskOptions is a delegate and cannot be sent to another process. Name the exceptions in [Remote(RetryOn = …)].");
        var defaults = function.Defaults;
        var settings = new TaskSettings
        {
            Name = options?.Name ?? "",
            NumCpus = options?.NumCpus ?? defaults.NumCpus,
            NumGpus = options?.NumGpus ?? defaults.NumGpus,
            Memory = options?.Memory ?? defaults.Memory,
            Isolation = (int)(options is { Isolation: not Isolation.Default } ? options.Isolation : defaults.Isolation),
            MaxRetries = options?.MaxRetries ?? defaults.MaxRetries,
            Priority = options?.Priority ?? 0,
            TimeoutSeconds = options?.Timeout?.TotalSeconds ?? defaults.TimeoutSeconds,
            MaxBufferedItems = isStream ? 1 + StreamBufferSizes.ForReaderInWorker(options?.MaxBufferedItems).Buffer : 0,
            Scheduling = ToWire(options?.Scheduling),
        };
        if (options?.Resources is { } resources)
            settings.Resources.Add(resources);
        else
            settings.Resources.Add(NamedAmountParser.Parse<double>(defaults.Resources));
        return settings;
    }

    public static TaskOptions FromWire(TaskSettings settings, PlacementGroupTable groups) => new()
    {
        Name = settings.Name.Length == 0 ? null : settings.Name,
        NumCpus = settings.NumCpus < 0 ? null : settings.NumCpus,
        NumGpus = settings.NumGpus,
        Memory = settings.Memory,
        Resources = settings.Resources.Count == 0 ? null : settings.Resources.ToImmutableDictionary(),
        Isolation = (Isolation)settings.Isolation,
        MaxRetries = settings.MaxRetries,
        Priority = settings.Priority,
        Timeout = settings.TimeoutSeconds > 0 ? TimeSpan.FromSeconds(settings.TimeoutSeconds) : null,
        MaxBufferedItems = settings.MaxBufferedItems > 0 ? settings.MaxBufferedItems - 1 : null,
        Scheduling = FromWire(settings.Scheduling, groups),
    };

    public static CallSettings? ToWire(string method, ActorCallOptions? options, bool isStream)
    {
        if (options?.RetryOn is not null)
            throw new NotSerializableException($"{method}: RetryOn of ActorCallOptions is a delegate and cannot be sent to another process. Name the exceptions in [Remote(RetryOn = …)].");
        if (options is null && !isStream)
            return null;
        var settings = new CallSettings
        {
            Name = options?.Name ?? "",
            ConcurrencyGroup = options?.ConcurrencyGroup ?? "",
            TimeoutSeconds = options?.Timeout?.TotalSeconds ?? 0,
            MaxBufferedItems = isStream ? 1 + StreamBufferSizes.ForReaderInWorker(options?.MaxBufferedItems).Buffer : 0,
        };
        if (options?.MaxTaskRetries is { } retries)
            settings.MaxTaskRetries = retries;
        return settings;
    }

    public static ActorCallOptions? FromWire(CallSettings? settings) => settings is null ? null : new()
    {
        Name = settings.Name.Length == 0 ? null : settings.Name,
        ConcurrencyGroup = settings.ConcurrencyGroup.Length == 0 ? null : settings.ConcurrencyGroup,
        MaxTaskRetries = settings.HasMaxTaskRetries ? settings.MaxTaskRetries : null,
        Timeout = settings.TimeoutSeconds > 0 ? TimeSpan.FromSeconds(settings.TimeoutSeconds) : null,
        MaxBufferedItems = settings.MaxBufferedItems > 0 ? settings.MaxBufferedItems - 1 : null,
    };

    public static Wire.Scheduling? ToWire(SchedulingStrategy? strategy) => strategy switch
    {
        null => null,
        SchedulingStrategy.NodeAffinity affinity => new() { Node = new() { NodeId = affinity.NodeId, Soft = affinity.Soft } },
        SchedulingStrategy.InGroup within => new() { Group = new() { GroupId = within.Group.Id, Bundle = within.Bundle, CaptureChildTasks = within.CaptureChildTasks } },
        _ => new() { Spread = true },
    };

    public static SchedulingStrategy? FromWire(Wire.Scheduling? strategy, PlacementGroupTable groups) => strategy?.StrategyCase switch
    {
        Wire.Scheduling.StrategyOneofCase.Node => new SchedulingStrategy.NodeAffinity(strategy.Node.NodeId, strategy.Node.Soft),
        Wire.Scheduling.StrategyOneofCase.Group => new SchedulingStrategy.InGroup(groups.Find(strategy.Group.GroupId), strategy.Group.Bundle, strategy.Group.CaptureChildTasks),
        Wire.Scheduling.StrategyOneofCase.Spread => SchedulingStrategy.Spread,
        _ => null,
    };
}
