using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Dashboard.Live;
using Serve.Dashboard.Sampling;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard;

/// <summary>
/// Samples the node: each second the tables that are watched, the others each ten seconds, so that their history has no gaps. Starts ten seconds after the node. Thread-safe.
/// </summary>
internal sealed partial class DashboardSampler : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdlePeriod = TimeSpan.FromSeconds(SampleHistory.LongStep);
    private readonly LiveFeed _feed;
    private readonly SampleHistory _history;
    private readonly ProcessTableSampler _processes;
    private readonly ApplicationTableSampler _applications;
    private readonly IDashboardSource _source;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<bool, long> _sampledAt = [];
    private bool _hasFailed;

    public DashboardSampler(LiveFeed feed, SampleHistory history, IDashboardSource source, TimeProvider time, ILogger<DashboardSampler> logger)
    {
        _feed = feed;
        _history = history;
        _source = source;
        _time = time;
        _logger = logger;
        _processes = new(source, time);
        _applications = new(source, time);
    }

    /// <summary>Samples tables now, unless they were sampled within the last second.</summary>
    /// <param name="topics">The tables.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public Task RefreshAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) =>
        SampleAsync(Period, topics.Any(LiveTopics.IsOfProcesses), topics.Any(static topic => !LiveTopics.IsOfProcesses(topic)), cancellationToken);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The start of the node is not delayed.
            await Task.Delay(IdlePeriod, _time, stoppingToken);
            using var timer = new PeriodicTimer(Period, _time);
            do
            {
                await SampleAsync(Period / 2, _feed.IsWatched(true), _feed.IsWatched(false), stoppingToken);
                await SampleAsync(IdlePeriod - (Period / 2), true, true, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    private async Task SampleAsync(TimeSpan age, bool processes, bool applications, CancellationToken cancellationToken)
    {
        if (!((processes && IsOlder(true, age)) || (applications && IsOlder(false, age))))
            return;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            processes &= IsOlder(true, age);
            applications &= IsOlder(false, age);
            if (!processes && !applications)
                return;
            Dictionary<string, List<LiveRowContent>> content = [];
            // Counts of requests change all the time; the figures of the runtimes are worth a message to each worker only now and then.
            var metrics = await CollectAsync(applications || _processes.NeedsMetrics, cancellationToken);
            var instance = _source.GetInstance();
            if (processes)
                _processes.Sample(instance, metrics, content);
            if (applications)
                _applications.Sample(instance, metrics, content);
            Store(content);
            _feed.Publish(content);
            foreach (var group in new[] { (true, processes), (false, applications) })
            {
                if (group.Item2)
                    _sampledAt[group.Item1] = _time.GetTimestamp();
            }

            _hasFailed = false;
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            // The next sample may succeed; a page that shows old figures is better than none.
            if (!_hasFailed)
                Log.Failed(_logger, failed);
            _hasFailed = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<MetricTextReader?> CollectAsync(bool isWanted, CancellationToken cancellationToken)
    {
        if (!isWanted)
            return null;
        var reader = new MetricTextReader();
        foreach (var text in await _source.CollectMetricsAsync(cancellationToken))
            reader.Add(text);
        return reader;
    }

    private void Store(Dictionary<string, List<LiveRowContent>> content)
    {
        var second = _time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (topic, rows) in content)
        {
            if (topic == LiveTopics.Decisions)
                continue;
            var (isWatched, hasLong) = (_feed.IsWatched(LiveTopics.IsOfProcesses(topic)), LiveTopics.HasLongHistory(topic));
            foreach (var row in rows)
                _history.Add(topic, row.Key, row.Values, second, isWatched, hasLong);
        }

        _history.RemoveExpired(second);
    }

    private bool IsOlder(bool group, TimeSpan age) => !_sampledAt.TryGetValue(group, out var at) || _time.GetElapsedTime(at) >= age;

    private static partial class Log
    {
        [LoggerMessage(8010, LogLevel.Warning, "The figures of the dashboard could not be read; the next attempt follows")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
