using System.ComponentModel;

namespace Serve;

/// <summary>
/// A function with <see cref="RemoteAttribute"/> and one parameter, as <c>ray.Map(ray.Demo.Square, items)</c> takes it. The source
/// generator implements it by the struct that calls the function; a worker makes that struct anew by its default value and invokes it.
/// </summary>
/// <typeparam name="T">The parameter's type.</typeparam>
/// <typeparam name="TResult">The result's type.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IRemoteFunction<in T, TResult>
{
    /// <summary>The function.</summary>
    RemoteFunction Function { get; }

    /// <summary>How it is to run; null when <c>.Options(…)</c> was not called.</summary>
    TaskOptions? TaskOptions { get; }

    /// <summary>Runs the function here and now. Needs no cluster.</summary>
    /// <param name="item">Its argument.</param>
    /// <param name="cancellationToken">Handed to the function if it takes one.</param>
    /// <returns>Its result.</returns>
    ValueTask<TResult> Invoke(T item, CancellationToken cancellationToken);
}
