using System.Globalization;
using Serve.Runtime.Placement;
using Serve.Runtime.Scheduling;

namespace Serve.Runtime.Tasks;

/// <summary>Cache of execution plans, and of the queues of tasks with equal demand, scheduling strategy and priority. Its tables are written under its lock.</summary>
internal sealed class TaskPlanCache(TaskDispatcher dispatcher, SchedulingLedgerResolver ledgers, Isolation isolation)
{
    private const int MostQueues = 1000;
    private static readonly ResourceDemand OneCpu = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
    private readonly Lock _sync = new();
    private Dictionary<(string Demand, SchedulingStrategy? Scheduling, int Priority, bool IsProcess), TaskQueue>? _queues;
    private readonly List<RemoteFunction> _functions = [];
    private TaskQueue? _common;

    /// <summary>Returns the plan of a function with options.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public TaskExecutionPlan GetPlan(RemoteFunction function, TaskOptions? options, SchedulingStrategy? inherited)
    {
        var plan = function.RuntimeState as TaskExecutionPlan;
        if (plan is null || plan.Dispatcher != dispatcher)
        {
            function.RuntimeState = plan = Create(function, null, null);
            lock (_sync)
                _functions.Add(function);
        }

        return options is null && inherited is null ? plan : GetPlan(plan, options, options?.Scheduling ?? inherited);
    }

    /// <summary>Detaches the cached plans from the functions, which live as long as the process.</summary>
    public void DetachFunctions()
    {
        lock (_sync)
        {
            foreach (var function in _functions)
            {
                if (function.RuntimeState is TaskExecutionPlan plan && plan.Dispatcher == dispatcher)
                    function.RuntimeState = null;
            }
        }
    }

    private TaskExecutionPlan GetPlan(TaskExecutionPlan plan, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var function = plan.Function;

        // A cached plan may outlive its placement group.
        if (scheduling is SchedulingStrategy.InGroup { Group: ReservedPlacementGroup { RemovedBecause: { } because } })
            throw new InsufficientResourcesException($"{function} cannot run: {because}", isPermanent: true);
        if (plan.Latest is { } latest && ReferenceEquals(latest.Options, options) && Equals(latest.Scheduling, scheduling))
            return latest;
        return plan.Latest = Create(function, options, scheduling);
    }

    private TaskExecutionPlan Create(RemoteFunction function, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var defaults = function.Defaults;
        var seconds = defaults.TimeoutSeconds;
        return new()
        {
            Dispatcher = dispatcher,
            Function = function,
            Options = options,
            Queue = GetQueue(defaults, options, scheduling),
            Name = options?.Name ?? function.Name,
            MaxRetries = options?.MaxRetries ?? defaults.MaxRetries,
            Timeout = options?.Timeout ?? (seconds > 0 ? TimeSpan.FromSeconds(seconds) : null),
            Scheduling = scheduling,
            MaxBufferedItems = options?.MaxBufferedItems,
        };
    }

    private TaskQueue GetQueue(RemoteAttribute defaults, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var where = options?.Isolation is { } asked and not Isolation.Default ? asked : defaults.Isolation is not Isolation.Default ? defaults.Isolation : isolation;
        var cpus = options?.NumCpus ?? (defaults.NumCpus < 0 ? 1 : defaults.NumCpus);
        var gpus = options?.NumGpus ?? defaults.NumGpus;
        var memory = options?.Memory ?? defaults.Memory;
        var runsInWorker = where == Isolation.Process;
        var priority = options?.Priority ?? 0;
        var isOneCpu = cpus == 1 && gpus == 0 && memory == 0 && defaults.Resources is null;
        var demand = isOneCpu && options is null ? OneCpu : GetDemand(cpus, gpus, memory, defaults, options);
        return ReferenceEquals(demand, OneCpu) && scheduling is null && priority == 0 && !runsInWorker
            ? _common ?? GetCommonQueue()
            : GetQueue(demand, scheduling, priority, runsInWorker);
    }

    private static ResourceDemand GetDemand(double cpus, double gpus, double memory, RemoteAttribute defaults, TaskOptions? options)
    {
        var demand = ResourceDemandFactory.Of(cpus, gpus, memory, options?.Resources ?? NamedAmountParser.Parse<double>(defaults.Resources));
        return demand.Equals(OneCpu) ? OneCpu : demand;
    }

    private TaskQueue GetQueue(ResourceDemand demand, SchedulingStrategy? scheduling, int priority, bool runsInWorker)
    {
        lock (_sync)
        {
            _queues ??= [];
            var key = (string.Create(CultureInfo.InvariantCulture, $"{demand}"), scheduling, priority, runsInWorker);
            if (_queues.TryGetValue(key, out var queue))
                return queue;

            // Queues of removed placement groups are no longer used. Dropping a queue too early only loses the order between its tasks and newer ones.
            if (_queues.Count >= MostQueues)
                _queues.Clear();
            return _queues[key] = Create(demand, scheduling, priority, runsInWorker);
        }
    }

    private TaskQueue GetCommonQueue()
    {
        lock (_sync)
            return _common ??= Create(OneCpu, null, 0, runsInWorker: false);
    }

    /// <summary>Resolves the ledgers of all queues again after nodes have joined or left.</summary>
    /// <returns>Queues that no node can serve any more, with the reason.</returns>
    public List<(TaskQueue Queue, Exception Failure)> RefreshLedgers()
    {
        var failed = new List<(TaskQueue, Exception)>();
        lock (_sync)
        {
            foreach (var queue in (_queues?.Values ?? Enumerable.Empty<TaskQueue>()).Concat(_common is null ? [] : [_common]))
            {
                try
                {
                    queue.Ledgers = ledgers.GetLedgers(queue.Scheduling, queue.Demand);
                }
                catch (InsufficientResourcesException thrown)
                {
                    failed.Add((queue, thrown));
                    continue;
                }

                foreach (var ledger in queue.Ledgers)
                    dispatcher.SubscribeTo(ledger);
            }
        }

        return failed;
    }

    private TaskQueue Create(ResourceDemand demand, SchedulingStrategy? scheduling, int priority, bool runsInWorker)
    {
        var able = ledgers.GetLedgers(scheduling, demand);
        foreach (var ledger in able)
            dispatcher.SubscribeTo(ledger);
        return new(dispatcher, demand, able, priority, runsInWorker) { Scheduling = scheduling };
    }
}
