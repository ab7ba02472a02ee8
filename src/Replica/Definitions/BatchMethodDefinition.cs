using System.Collections.Immutable;
using System.Reflection;
using Serve.Replica.Batching;

namespace Serve.Replica.Definitions;

/// <summary>One method with <see cref="BatchAttribute"/>: what its callers pass and get, and how its items are gathered. Immutable.</summary>
internal sealed record BatchMethodDefinition
{
    /// <summary>With more lists, what one caller passes would not fit one tuple.</summary>
    private const int MostLists = 7;

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

    /// <summary>The lists among its parameters.</summary>
    public ImmutableArray<ParameterInfo> Lists { get; private init; }

    /// <summary>What one caller passes for each of them.</summary>
    public ImmutableArray<Type> ItemTypes { get; private init; }

    /// <summary>What the queue holds: what one caller passes, as a tuple when that is several.</summary>
    public Type ItemType { get; private init; } = typeof(object);

    /// <summary>The list it returns, awaited; for a stream, that of one step.</summary>
    public Type ListType { get; private init; } = typeof(object);

    /// <summary>What is in that list.</summary>
    public Type ElementType { get; private init; } = typeof(object);

    /// <summary>What one caller gets; for a stream, one item of it.</summary>
    public Type ResultType { get; private init; } = typeof(object);

    public bool IsStream { get; private init; }

    /// <summary>Whether elements say themselves what they are.</summary>
    public bool HasOutcomes => ElementType != ResultType;

    /// <summary>Says how large an item is; null when all count 1.</summary>
    public MethodInfo? SizeOf { get; private init; }

    public static bool IsBatched(MethodInfo method) => method.IsDefined(typeof(BatchAttribute), inherit: true);

    /// <summary>Reads all that a class has, those of wrong shape left out; adds a line for everything that is wrong.</summary>
    public static IReadOnlyList<BatchMethodDefinition> Of(Type type, List<string> errors)
    {
        foreach (var method in ClassMethodFinder.Of(type)
            .Where(method => IsBatched(method) && (!method.IsPublic || method.IsStatic || DeploymentHookMethods.IsHook(method))))
        {
            errors.Add($"{type.FullName}.{method.Name} has [Batch], but "
                + (method is { IsPublic: true, IsStatic: false } ? "is a hook, which the platform calls with what is its own." : "is no public instance method, so nobody calls it. Make it one."));
        }

        return [.. DeploymentMethodFinder.Of(type).Where(IsBatched).Select(method => Read(type, method, errors)).OfType<BatchMethodDefinition>()];
    }

    private static BatchMethodDefinition? Read(Type type, MethodInfo method, List<string> errors)
    {
        var before = errors.Count;
        var name = $"{type.FullName}.{method.Name}";
        var parameters = method.GetParameters().Where(parameter => parameter.ParameterType != typeof(CancellationToken)).ToImmutableArray();
        foreach (var parameter in parameters.Where(parameter => BatchListTypes.TakenElement(parameter.ParameterType) is null))
            errors.Add($"{name} has [Batch], but its parameter '{parameter.Name}' is no list ({parameter.ParameterType.Name}): it takes {Shape}.");
        if (parameters.Length is 0 or > MostLists)
            errors.Add($"{name} has [Batch] and takes {parameters.Length} lists: it takes {Shape}, 1 to {MostLists} of them.");
        if (method.IsGenericMethod)
            return null;

        var (list, isStream) = ReturnedList(method.ReturnType);
        var element = BatchListTypes.ReturnedElement(list);
        var isOutcome = element is { IsGenericType: true } && element.GetGenericTypeDefinition() == typeof(BatchResult<>);
        if (element is null || (isStream && !isOutcome))
        {
            errors.Add($"{name} has [Batch] and returns {method.ReturnType.Name}: it returns an array or a list with one result per item, or a task of one; "
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
                + "and a method that blocks never lets another in. Set Concurrency = ConcurrencyMode.Parallel, or MaxConcurrentBatches = 1.");
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
            ? $"{name}: [Batch] names the SizeMethod '{size}', and the class has no such method. Write {shape}."
            : $"{name}: the SizeMethod '{size}' of [Batch] must be {shape}: it takes what a caller passes and says how large that is.");
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
