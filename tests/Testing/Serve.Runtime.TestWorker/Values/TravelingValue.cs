namespace Serve.Runtime.TestWorker.Values;

/// <summary>A value that a test sends to a worker process and back.</summary>
public abstract class TravelingValue(string name, bool isRefused)
{
    public string Name => name;

    /// <summary>Whether the value must be rejected before it is sent.</summary>
    public bool IsRefused => isRefused;

    /// <summary>Passes the value to a task and returns the difference that the task, or the caller in the result, found; null if there is none.</summary>
    public abstract Task<string?> SendAsync(Cluster ray, int index);
}

/// <inheritdoc/>
/// <param name="name">Display name.</param>
/// <param name="create">Creates the value; the worker creates it again to compare.</param>
/// <param name="isRefused">Whether the value must be rejected.</param>
/// <param name="compare">Returns the difference; null to compare all fields.</param>
public sealed class TravelingValue<T>(string name, Func<T> create, bool isRefused, Func<T, T, string?>? compare) : TravelingValue(name, isRefused)
{
    public override async Task<string?> SendAsync(Cluster ray, int index)
    {
        var work = (Func<(int Index, T Value), (string? Difference, T Value)>)Examine;
        var (difference, returned) = await ray.Run(work, (index, create()), new() { Isolation = Isolation.Process });
        return difference ?? (Find(returned) is { } later ? $"in the result: {later}" : null);
    }

    private static (string? Difference, T Value) Examine((int Index, T Value) sent) => (((TravelingValue<T>)TravelingValues.All[sent.Index]).Find(sent.Value), sent.Value);

    private string? Find(T received)
    {
        var expected = create();
        return compare is null ? ValueComparison.Find(expected, received) : compare(expected, received);
    }
}
