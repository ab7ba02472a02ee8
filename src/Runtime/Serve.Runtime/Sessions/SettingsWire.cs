using System.Collections.Immutable;
using Serve.Runtime.Scheduling;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>How a task that a worker starts is to run, to and from the wire: what the caller said and what the attribute says together.</summary>
internal static class SettingsWire
{
    public static TaskSettings ToWire(RemoteFunction function, TaskOptions? options)
    {
        if (options?.RetryOn is not null)
            throw new NotSerializableException($"{function}: RetryOn of TaskOptions is a delegate, which cannot leave this worker process. Name the exceptions in [Remote(RetryOn = …)].");
        if (options?.Scheduling is SchedulingStrategy.InGroup)
            throw new NotSerializableException($"{function}: a task in a worker process cannot place others in a placement group by itself. Use CaptureChildTasks where the program starts it.");
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
            MaxBufferedItems = options?.MaxBufferedItems ?? 0,
        };
        if (options?.Resources is { } resources)
            settings.Resources.Add(resources);
        else
            settings.Resources.Add(NamedAmounts.Parse<double>(defaults.Resources));
        return settings;
    }

    public static TaskOptions FromWire(TaskSettings settings) => new()
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
        MaxBufferedItems = settings.MaxBufferedItems > 0 ? settings.MaxBufferedItems : null,
    };
}
