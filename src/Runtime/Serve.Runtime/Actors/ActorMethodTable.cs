using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Serve.Runtime.Methods;

namespace Serve.Runtime;

/// <summary>
/// How the public methods of a class are called by name: each bound once to a compiled delegate. Cancellation tokens are supplied, not
/// passed; optional parameters may be left out; arguments of another type are converted by JSON. Immutable.
/// </summary>
public sealed class ActorMethodTable
{
    // Weak in the class, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<Type, ConcurrentDictionary<JsonSerializerOptions, ActorMethodTable>> Tables = [];

    private readonly FrozenDictionary<string, ActorMethodInvoker[]> _methods;
    private readonly string _owner;

    private ActorMethodTable(string owner, JsonSerializerOptions json, FrozenDictionary<string, ActorMethodInvoker[]> methods)
    {
        this._owner = owner;
        this._methods = methods;
        Json = json;
        Names = [.. methods.Keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>The names of the methods that can be called, sorted.</summary>
    public IReadOnlyList<string> Names { get; }

    internal JsonSerializerOptions Json { get; }

    /// <summary>The table of a class, made once per class and serializer.</summary>
    /// <param name="type">The class.</param>
    /// <param name="json">How arguments and results are converted. Default <see cref="ServeJson.Calls"/>.</param>
    /// <returns>The table.</returns>
    public static ActorMethodTable For(Type type, JsonSerializerOptions? json = null) =>
        Tables.GetOrAdd(type, static _ => new()).GetOrAdd(json ?? ServeJson.Calls, static (json, type) => Reflect(type, json), type);

    /// <summary>The same table without some methods, for instance a class's hooks.</summary>
    /// <param name="names">Methods that are not to be called by name.</param>
    /// <returns>A new table that shares what was compiled.</returns>
    public ActorMethodTable Without(params IEnumerable<string> names) =>
        new(_owner, Json, _methods.Where(method => !names.Contains(method.Key)).ToFrozenDictionary(StringComparer.Ordinal));

    /// <summary>The same table with some methods taking their calls outside turns, in place of those of the same names.</summary>
    /// <param name="queued">The methods.</param>
    /// <returns>A new table that shares what was compiled.</returns>
    public ActorMethodTable With(params IEnumerable<QueuedActorMethod> queued)
    {
        var replaced = queued.ToDictionary(method => method.Method.Name, method => new[] { new ActorMethodInvoker(_owner, method) }, StringComparer.Ordinal);
        return new(_owner, Json, _methods.Where(method => !replaced.ContainsKey(method.Key)).Concat(replaced).ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>What takes the calls of a queued method that were compiled; null for methods that are not queued.</summary>
    internal object? QueueTargetOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Taker : null;

    /// <summary>What a caller must know before it enters a turn. Methods that are not in the table do not block.</summary>
    internal ActorMethodTraits TraitsOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Traits : ActorMethodTraits.TakesToken;

    /// <summary>The concurrency group of a method; null for the actor's own, or when there is no such method.</summary>
    internal string? GroupOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Group : null;

    /// <summary>The method of this name that takes so many arguments.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    internal ActorMethodInvoker Find(string name, int count)
    {
        if (!_methods.TryGetValue(name, out var overloads))
            throw new BadInputException($"{_owner} has no method '{name}'.{Suggest(name)}");
        return Array.Find(overloads, method => count >= method.Required && count <= method.Parameters.Length) ?? throw Misfit(overloads, count);
    }

    /// <summary>Finds the method for these arguments and fits them to its parameters.</summary>
    /// <exception cref="BadInputException">No such method, a wrong number of arguments, or one that cannot be converted.</exception>
    internal BoundMethodCall Bind(string name, ICallArguments arguments)
    {
        if (!_methods.TryGetValue(name, out var overloads))
            throw new BadInputException($"{_owner} has no method '{name}'.{Suggest(name)}");
        var count = arguments.Count;
        BadInputException? misfit = null;
        foreach (var method in overloads)
        {
            if (count < method.Required || count > method.Parameters.Length)
                continue;
            try
            {
                return new BoundMethodCall(method, arguments.Fit(method, Json));
            }
            catch (BadInputException thrown)
            {
                misfit ??= thrown;
            }
        }

        throw misfit ?? Misfit(overloads, count);
    }

    private static ActorMethodTable Reflect(Type type, JsonSerializerOptions json) =>
        new(type.Name, json, type
            .GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(IsCallable)
            .Select(method => new ActorMethodInvoker(type, method))
            .GroupBy(method => method.Name, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.OrderBy(method => method.Parameters.Length).ToArray(), StringComparer.Ordinal));

    private static BadInputException Misfit(ActorMethodInvoker[] overloads, int count) =>
        new($"{overloads[0].FullName} takes {string.Join(" or ", overloads.Select(method => method.Signature))}; {count} argument(s) came.");

    private static bool IsCallable(MethodInfo method) =>
        !method.IsSpecialName
        && !method.ContainsGenericParameters
        && method.GetBaseDefinition().DeclaringType != typeof(object)
        && !method.ReturnType.IsByRef && !method.ReturnType.IsByRefLike
        && method.GetParameters().All(parameter => !parameter.ParameterType.IsByRef && !parameter.ParameterType.IsByRefLike && !parameter.ParameterType.IsPointer)
        && !(method.GetParameters().Length == 0 && method.Name is nameof(IDisposable.Dispose) or nameof(IAsyncDisposable.DisposeAsync));

    private string Suggest(string name) =>
        Names.Count == 0 ? " It has no public methods."
        : (NearestNameFinder.Find(name, Names) is { } nearest ? $" Did you mean '{nearest}'?" : "") + $" It has: {string.Join(", ", Names)}.";
}
