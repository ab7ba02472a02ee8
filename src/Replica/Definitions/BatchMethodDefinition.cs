using System.Collections.Immutable;
using System.Reflection;
using Serve.Replica.Batching;

namespace Serve.Replica.Definitions;

/// <summary>Definition of a method with <see cref="BatchAttribute"/>: types of items and results, and batch settings.</summary>
internal sealed record BatchMethodDefinition
{
    /// <summary>The values of one caller must fit into one tuple.</summary>
    private const int MaxLists = 7;

    private const string Shape = "one list per argument of its callers, as in Task<Label[]> Classify(IReadOnlyList<Image> images)";

    private BatchMethodDefinition(MethodInfo method)
    {
        Method = method;
        Blocks = method.IsDefined(typeof(BlockingAttribute), inherit: true);
        TakesToken = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken));
    }

    public MethodInfo Method { get; }

    public bool Blocks { get; }

    public bool TakesToken { get; }

    public BatchQueueSettings Settings { get; private init; } = new();

    /// <summary>Parameters that are lists.</summary>
    public ImmutableArray<ParameterInfo> Lists { get; private init; }

    /// <summary>Element type of each list.</summary>
    public ImmutableArray<Type> ItemTypes { get; private init; }

    /// <summary>Item type of the queue: the value of one caller, or a tuple of its values.</summary>
    public Type ItemType { get; private init; } = typeof(object);

    /// <summary>Type of the returned list, awaited; for a stream, that of one step.</summary>
    public Type ListType { get; private init; } = typeof(object);

    /// <summary>Element type of that list.</summary>
    public Type ElementType { get; private init; } = typeof(object);

    /// <summary>Result type of one caller; for a stream, the type of its items.</summary>
    public Type ResultType { get; private init; } = typeof(object);

    public bool IsStream { get; private init; }

    /// <summary>Whether elements are <see cref="BatchResult{T}"/>: values or errors.</summary>
    public bool HasOutcomes => ElementType != ResultType;

    /// <summary>Method that returns the size of an item; null if every item has size 1.</summary>
    public MethodInfo? SizeOf { get; private init; }

    public static bool IsBatched(MethodInfo method) => method.IsDefined(typeof(BatchAttribute), inherit: true);

    /// <summary>Reads the batched methods of a class; omits invalid ones and adds their errors.</summary>
    public static IReadOnlyList<BatchMethodDefinition> Of(Type type, List<string> errors)
    {
        foreach (var method in ClassMethodFinder.Of(type)
            .Where(method => IsBatched(method) && (!method.IsPublic || method.IsStatic || DeploymentHookMethods.IsHook(method))))
        {
            errors.Add($"{type.FullName}.{method.Name} has [Batch], but "
                + (method is { IsPublic: true, IsStatic: false } ? "is a hook, which the platform calls." : "is not a public instance method."));
        }

        return [.. DeploymentMethodFinder.Of(type).Where(IsBatched).Select(method => Read(type, method, errors)).OfType<BatchMethodDefinition>()];
    }

    private static BatchMethodDefinition? Read(Type type, MethodInfo method, List<string> errors)
    {
        var before = errors.Count;
        var name = $"{type.FullName}.{method.Name}";
        var parameters = method.GetParameters().Where(parameter => parameter.ParameterType != typeof(CancellationToken)).ToImmutableArray();
        foreach (var parameter in parameters.Where(parameter => BatchListTypes.TakenElement(parameter.ParameterType) is null))
            errors.Add($"{name} has [Batch], but its parameter '{parameter.Name}' is not a list ({parameter.ParameterType.Name}): it must have {Shape}.");
        if (parameters.Length is 0 or > MaxLists)
            errors.Add($"{name} has [Batch] and {parameters.Length} lists: it must have {Shape}, 1 to {MaxLists} of them.");
        if (method.IsGenericMethod)
            return null;

        var (list, isStream) = ReturnedList(method.ReturnType);
        var element = BatchListTypes.ReturnedElement(list);
        var isOutcome = element is { IsGenericType: true } && element.GetGenericTypeDefinition() == typeof(BatchResult<>);
        if (element is null || (isStream && !isOutcome))
        {
            errors.Add($"{name} has [Batch] and returns {method.ReturnType.Name}: it must return an array or a list with one result per item, or a task of one; "
                + "to stream, IAsyncEnumerable<BatchResult<T>[]>.");
        }

        var attribute = method.GetCustomAttribute<BatchAttribute>(inherit: true)!;
        var settings = SettingsOf(type, name, method, attribute, errors);
        if (errors.Count > before)
            return null;
        var items = parameters.Select(parameter => BatchListTypes.TakenElement(parameter.ParameterType)!).ToImmutableArray();
        var sizeOf = attribute.SizeMethod is { } size ? FindSizeOf(type, name, size, items, errors) : null;
        return errors.Count > before ? null : new BatchMethodDefinition(method)
        {
            Settings = settings,
            Lists = parameters,
            ItemTypes = items,
            ItemType = items.Length == 1 ? items[0] : TupleOf(items),
            ListType = list,
            ElementType = element!,
            ResultType = isOutcome ? element!.GetGenericArguments()[0] : element!,
            IsStream = isStream,
            SizeOf = sizeOf,
        };
    }

    private static BatchQueueSettings SettingsOf(Type type, string name, MethodInfo method, BatchAttribute attribute, List<string> errors)
    {
        if (attribute.MaxBatchSize < 1)
            errors.Add($"{name}: MaxBatchSize of [Batch] must be at least 1, not {attribute.MaxBatchSize}.");
        if (attribute.MaxConcurrentBatches < 1)
            errors.Add($"{name}: MaxConcurrentBatches of [Batch] must be at least 1, not {attribute.MaxConcurrentBatches}.");
        if (!DurationTextFormat.TryParse(attribute.BatchWaitTimeout, out var wait))
            errors.Add($"{name}: BatchWaitTimeout of [Batch] must be {DurationTextFormat.Expected}, not \"{attribute.BatchWaitTimeout}\".");
        if (attribute.MaxConcurrentBatches > 1 && method.IsDefined(typeof(BlockingAttribute), inherit: true)
            && type.GetCustomAttribute<DeploymentAttribute>(inherit: false)?.Concurrency != ConcurrencyMode.Parallel)
        {
            errors.Add($"{name} has [Blocking] and MaxConcurrentBatches = {attribute.MaxConcurrentBatches}, but a turn-based deployment runs one turn at a time, "
                + "and a blocking method never yields its turn. Set Concurrency = ConcurrencyMode.Parallel, or MaxConcurrentBatches = 1.");
        }

        return new BatchQueueSettings
        {
            MaxBatchSize = attribute.MaxBatchSize, WaitTimeout = wait, MaxConcurrentBatches = attribute.MaxConcurrentBatches, Adaptive = attribute.Adaptive,
        };
    }

    private static MethodInfo? FindSizeOf(Type type, string name, string size, ImmutableArray<Type> items, List<string> errors)
    {
        var shape = $"int {size}({string.Join(", ", items.Select(item => item.Name))})";
        var named = ClassMethodFinder.Of(type).Where(method => method.Name == size).ToList();
        if (named.Find(method => method.ReturnType == typeof(int) && !method.IsGenericMethod
            && method.GetParameters().Select(parameter => parameter.ParameterType).SequenceEqual(items)) is { } fitting)
        {
            return fitting;
        }

        errors.Add(named.Count == 0
            ? $"{name}: SizeMethod '{size}' of [Batch] not found in the class. Declare {shape}."
            : $"{name}: SizeMethod '{size}' of [Batch] must be {shape}: it returns the size of the values of one caller.");
        return null;
    }

    private static (Type List, bool IsStream) ReturnedList(Type returned)
    {
        if (!returned.IsGenericType)
            return (returned, false);
        var (definition, argument) = (returned.GetGenericTypeDefinition(), returned.GetGenericArguments()[0]);
        return definition == typeof(IAsyncEnumerable<>) ? (argument, true)
            : definition == typeof(Task<>) || definition == typeof(ValueTask<>) ? (argument, false)
            : (returned, false);
    }

    private static Type TupleOf(ImmutableArray<Type> items) =>
        Type.GetType($"System.ValueTuple`{items.Length}")!.MakeGenericType([.. items]);
}
