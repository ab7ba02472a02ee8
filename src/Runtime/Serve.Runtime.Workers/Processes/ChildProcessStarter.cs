using System.Collections.Concurrent;
using System.Diagnostics;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Starts every child process from one thread that lives as long as this process: the kernel's parent-death signal is tied to the
/// forking thread, so a retiring pool thread would kill its workers.
/// </summary>
internal static class ChildProcessStarter
{
    private static readonly BlockingCollection<Action> Work = StartThread();

    public static Task<Process> StartAsync(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info) ?? throw new InvalidOperationException($"{info.FileName} did not start."));
            }
            catch (Exception thrown)
            {
                started.SetException(thrown);
            }
        });
        return started.Task;
    }

    private static BlockingCollection<Action> StartThread()
    {
        var work = new BlockingCollection<Action>(boundedCapacity: 1024);
        new Thread(() =>
        {
            foreach (var fork in work.GetConsumingEnumerable())
                fork();
        })
        { IsBackground = true, Name = "serve fork" }.UnsafeStart();
        return work;
    }
}
