using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>Signals between a test and its sample deployment. The sample is another copy of this assembly, so the signals are stored in the data of the process.</summary>
public static class TestSignals
{
    private const string Key = "Serve.Replica.Tests.Signals";

    private static ConcurrentDictionary<string, TaskCompletionSource> All => (ConcurrentDictionary<string, TaskCompletionSource>)AppDomain.CurrentDomain.GetData(Key)!;

    public static TaskCompletionSource Of(string name) =>
        All.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public static Task WaitAsync(string name) => Of(name).Task.WaitAsync(TimeSpan.FromSeconds(10));

    public static void Set(string name) => Of(name).TrySetResult();

    // The copy of the test is loaded first; the copies of samples find its data.
    [ModuleInitializer]
    internal static void Share()
    {
        if (AppDomain.CurrentDomain.GetData(Key) is null)
            AppDomain.CurrentDomain.SetData(Key, new ConcurrentDictionary<string, TaskCompletionSource>());
    }
}
