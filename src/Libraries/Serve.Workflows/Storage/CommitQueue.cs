using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Serve.Workflows.Storage;

/// <summary>
/// Group commit: one thread takes all queued changes, up to a limit, and commits them in one transaction; later changes share the next one. A commit that fails because the disk
/// is full, or for another reason that can pass, is repeated until it succeeds; the callers wait and nothing is lost.
/// </summary>
internal sealed partial class CommitQueue : IAsyncDisposable
{
    private const int MaxBatch = 512;

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(5);

    private readonly WorkflowStore _store;
    private readonly Func<DateTimeOffset> _now;
    private readonly Action<IReadOnlyList<string>> _deletePayloads;
    private readonly Action<Exception> _failed;
    private readonly ILogger _logger;
    private readonly Channel<StoreWrite> _queue = Channel.CreateBounded<StoreWrite>(new BoundedChannelOptions(65_536) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly CancellationTokenSource _abandon = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _fault;

    public CommitQueue(WorkflowStore store, Func<DateTimeOffset> now, Action<IReadOnlyList<string>> deletePayloads, Action<Exception> failed, ILogger logger)
    {
        (_store, _now, _deletePayloads, _failed, _logger) = (store, now, deletePayloads, failed, logger);
        new Thread(Run) { IsBackground = true, Name = "workflow commits" }.Start();
    }

    /// <summary>Gets why the last commit failed and is being repeated; null if it did not fail.</summary>
    public string? Fault => _fault;

    /// <summary>Gets the number of queued changes.</summary>
    public int Depth => _queue.Reader.Count;

    /// <summary>Queues a change. Changes are committed in the order of the calls.</summary>
    public void Enqueue(StoreWrite write)
    {
        if (_queue.Writer.TryWrite(write))
            return;
        var pending = _queue.Writer.WriteAsync(write);
        if (pending.IsCompletedSuccessfully)
            return;
        pending.AsTask().ContinueWith(
            (_, state) => ((StoreWrite)state!).Fail(ClosedFailure()), write, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Queues a change and waits until it is durable.</summary>
    public Task WriteAsync(StoreWrite write)
    {
        Enqueue(write);
        return write.Done;
    }

    /// <summary>Commits all queued changes, then closes the queue. Changes that cannot be committed now are abandoned.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (_fault is not null)
            await _abandon.CancelAsync().ConfigureAwait(false);
        else
            _abandon.CancelAfter(TimeSpan.FromSeconds(30));
        await _ended.Task.ConfigureAwait(false);
        _abandon.Dispose();
    }

    /// <summary>Creates the exception of operations that the end of the host interrupts.</summary>
    public static ObjectDisposedException ClosedFailure() => new(nameof(WorkflowHost), "The workflow host was disposed. Open workflows continue when it is started again.");

    private void Run()
    {
        List<StoreWrite> batch = new(MaxBatch);
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var write))
                batch.Add(write);
            Commit(batch);
            batch.Clear();
        }

        _ended.SetResult();
    }

    private void Commit(List<StoreWrite> batch)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        while (true)
        {
            try
            {
                var started = Stopwatch.GetTimestamp();
                _store.Commit(batch, _now());
                WorkflowMetrics.CommitSeconds.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
                if (_fault is not null)
                    Log.Recovered(_logger, _store.Name);
                _fault = null;
                _deletePayloads(_store.TakeUnusedPayloads());
                foreach (var write in batch)
                    write.Complete();
                return;
            }
            catch (WorkflowLeaseException lost)
            {
                // Repeated under the new lease: the store drops changes of workflows that other hosts may have taken over.
                Log.LeaseLost(_logger, _store.Name);
                _failed(lost);
            }
            catch (Exception failure) when (_store.IsTransient(failure) && !_abandon.IsCancellationRequested)
            {
                if (_fault != failure.Message)
                    Log.Retried(_logger, failure, _store.Name, batch.Count);
                _fault = failure.Message;
                _abandon.Token.WaitHandle.WaitOne(pause);
                pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
            }
            catch (Exception failure)
            {
                Fail(batch, failure);
                return;
            }
        }
    }

    /// <summary>Commits the changes one by one, so that only those that cannot be committed fail.</summary>
    private void Fail(List<StoreWrite> batch, Exception failure)
    {
        if (batch.Count > 1 && !_abandon.IsCancellationRequested)
        {
            foreach (var write in batch)
                Commit([write]);
            return;
        }

        Log.Failed(_logger, failure, _store.Name, batch.Count);
        var reported = failure as WorkflowException ?? new WorkflowStorageException($"Workflow store '{_store.Name}' cannot be written: {failure.Message}", failure);
        foreach (var write in batch)
            write.Fail(reported);
        _failed(reported);
    }

    private static partial class Log
    {
        [LoggerMessage(13001, LogLevel.Error, "Commit to workflow store '{Store}' failed and is repeated until it succeeds; {Count} changes wait")]
        public static partial void Retried(ILogger logger, Exception failure, string store, int count);

        [LoggerMessage(13002, LogLevel.Information, "Workflow store '{Store}' accepts commits again")]
        public static partial void Recovered(ILogger logger, string store);

        [LoggerMessage(13004, LogLevel.Warning, "The lease of this host on workflow store '{Store}' has expired; its open workflows are taken over by other hosts, or by this one again")]
        public static partial void LeaseLost(ILogger logger, string store);

        [LoggerMessage(13003, LogLevel.Error, "Commit to workflow store '{Store}' failed; {Count} changes are not applied")]
        public static partial void Failed(ILogger logger, Exception failure, string store, int count);
    }
}
