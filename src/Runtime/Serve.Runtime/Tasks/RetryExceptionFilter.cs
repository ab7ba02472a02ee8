namespace Serve.Runtime.Tasks;

/// <summary>Decides whether an exception thrown by the code of a task or an actor call is retried, wherever the code ran.</summary>
internal static class RetryExceptionFilter
{
    /// <summary>Applies the filter.</summary>
    /// <param name="failure">Exception that was thrown, or the report of it.</param>
    /// <param name="asks">Predicate of the caller, which has precedence; null for none.</param>
    /// <param name="types">Exception types named by the attribute.</param>
    /// <param name="code">Class whose code threw.</param>
    public static bool Matches(Exception failure, Func<Exception, bool>? asks, Type[] types, Type code)
    {
        var thrown = failure is UserCodeException { InnerException: { } inner } ? inner : failure;
        if (asks is not null)
            return asks(thrown);
        foreach (var type in types)
        {
            if (type.IsInstanceOfType(thrown) || (failure is UserCodeException { InnerException: null } told && IsNamed(type, told.ExceptionType, code)))
                return true;
        }

        return false;
    }

    // An exception thrown in a worker may be known by its type name only; the type is resolved as the code itself would resolve it.
    private static bool IsNamed(Type type, string name, Type code) =>
        type.FullName == name
        || (Type.GetType(name) ?? code.Assembly.GetType(name) ?? type.Assembly.GetType(name)) is { } thrown && type.IsAssignableFrom(thrown);
}
