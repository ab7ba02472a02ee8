using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>What a test and its sample tell each other. The sample is another copy of this assembly, so they meet in the process's own data.</summary>
public static class TestSignals
{
    private const string Key = "Serve.Replica.Tests.Signals";

    private static ConcurrentDictionary<string, TaskCompletionSource> All => (ConcurrentDictionary<string, TaskCompletionSource>)AppDomain.CurrentDomain.GetData(Key)!;

    public static TaskCompletionSource Of(string name) =>
        All.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public static Task WaitAsync(string name) => Of(name).Task.WaitAsync(TimeSpan.FromSeconds(10));

    public static void Set(string name) => Of(name).TrySetResult();

    // The test's copy is loaded first, samples' copies find it there.
    [ModuleInitializer]
    internal static void Share()
    {
        if (AppDomain.CurrentDomain.GetData(Key) is null)
            AppDomain.CurrentDomain.SetData(Key, new ConcurrentDictionary<string, TaskCompletionSource>());
    }
}
