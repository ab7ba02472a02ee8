using System.Globalization;
using Serve.Runtime.Placement;
using Serve.Runtime.Scheduling;

namespace Serve.Runtime.Tasks;

/// <summary>Works out how a function's tasks run, and which tasks wait in one queue: those of the same demand, place and priority. Its tables are written under its lock.</summary>
internal sealed class TaskPlans(TaskDispatcher dispatcher, LedgerSource ledgers, Isolation isolation)
{
    private const int MostQueues = 1000;
    private static readonly ResourceDemand OneCpu = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
    private readonly Lock sync = new();
    private Dictionary<(string Demand, SchedulingStrategy? Scheduling, int Priority, bool IsProcess), TaskQueue>? queues;
    private readonly List<RemoteFunction> functions = [];
    private TaskQueue? common;

    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public TaskPlan Find(RemoteFunction function, TaskOptions? options, SchedulingStrategy? inherited)
    {
        var plan = function.Prepared as TaskPlan;
        if (plan is null || plan.Dispatcher != dispatcher)
        {
            function.Prepared = plan = Make(function, null, null);
            lock (sync)
                functions.Add(function);
        }

        return options is null && inherited is null ? plan : Find(plan, options, options?.Scheduling ?? inherited);
    }

    /// <summary>Leaves nothing of the cluster on the functions, which live as long as the process.</summary>
    public void Forget()
    {
        lock (sync)
        {
            foreach (var function in functions)
            {
                if (function.Prepared is TaskPlan plan && plan.Dispatcher == dispatcher)
                    function.Prepared = null;
            }
        }
    }

    private TaskPlan Find(TaskPlan plan, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var function = plan.Function;

        // What is remembered of a group outlives it.
        if (scheduling is SchedulingStrategy.InGroup { Group: ReservedGroup { RemovedBecause: { } because } })
            throw new InsufficientResourcesException($"{function} cannot run: {because}", isPermanent: true);
        if (plan.Latest is { } latest && ReferenceEquals(latest.Options, options) && Equals(latest.Scheduling, scheduling))
            return latest;
        return plan.Latest = Make(function, options, scheduling);
    }

    private TaskPlan Make(RemoteFunction function, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var defaults = function.Defaults;
        var seconds = defaults.TimeoutSeconds;
        return new()
        {
            Dispatcher = dispatcher,
            Function = function,
            Options = options,
            Queue = QueueFor(defaults, options, scheduling),
            Name = options?.Name ?? function.Name,
            MaxRetries = options?.MaxRetries ?? defaults.MaxRetries,
            Timeout = options?.Timeout ?? (seconds > 0 ? TimeSpan.FromSeconds(seconds) : null),
            Scheduling = scheduling,
            MaxBufferedItems = options?.MaxBufferedItems,
        };
    }

    private TaskQueue QueueFor(RemoteAttribute defaults, TaskOptions? options, SchedulingStrategy? scheduling)
    {
        var where = options?.Isolation is { } asked and not Isolation.Default ? asked : defaults.Isolation is not Isolation.Default ? defaults.Isolation : isolation;
        var cpus = options?.NumCpus ?? (defaults.NumCpus < 0 ? 1 : defaults.NumCpus);
        var gpus = options?.NumGpus ?? defaults.NumGpus;
        var memory = options?.Memory ?? defaults.Memory;
        var isProcess = where == Isolation.Process;
        var priority = options?.Priority ?? 0;
        var isOneCpu = cpus == 1 && gpus == 0 && memory == 0 && defaults.Resources is null;
        var demand = isOneCpu && options is null ? OneCpu : DemandOf(cpus, gpus, memory, defaults, options);
        return ReferenceEquals(demand, OneCpu) && scheduling is null && priority == 0 && !isProcess
            ? common ??= Make(OneCpu, null, 0, isProcess: false)
            : QueueFor(demand, scheduling, priority, isProcess);
    }

    private static ResourceDemand DemandOf(double cpus, double gpus, double memory, RemoteAttribute defaults, TaskOptions? options)
    {
        var demand = ResourceDemands.Of(cpus, gpus, memory, options?.Resources ?? NamedAmounts.Parse<double>(defaults.Resources));
        return demand.Equals(OneCpu) ? OneCpu : demand;
    }

    private TaskQueue QueueFor(ResourceDemand demand, SchedulingStrategy? scheduling, int priority, bool isProcess)
    {
        lock (sync)
        {
            queues ??= [];
            var key = (string.Create(CultureInfo.InvariantCulture, $"{demand}"), scheduling, priority, isProcess);
            if (queues.TryGetValue(key, out var queue))
                return queue;

            // Queues of groups that are gone are of no use any more. One forgotten too early costs its tasks their order among the others', no more.
            if (queues.Count >= MostQueues)
                queues.Clear();
            return queues[key] = Make(demand, scheduling, priority, isProcess);
        }
    }

    private TaskQueue Make(ResourceDemand demand, SchedulingStrategy? scheduling, int priority, bool isProcess)
    {
        var able = ledgers.LedgersFor(scheduling, demand);
        foreach (var ledger in able)
            dispatcher.Follow(ledger);
        return new(dispatcher, demand, able, priority, isProcess) { Group = (scheduling as SchedulingStrategy.InGroup)?.Group };
    }
}
