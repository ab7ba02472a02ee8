namespace Serve.Runtime.Tasks;

/// <summary>Whether an exception of a task's or a call's own code is one to retry on, wherever that ran.</summary>
internal static class RetryExceptionFilter
{
    /// <summary>Applies it.</summary>
    /// <param name="failure">What was thrown, or what tells of it.</param>
    /// <param name="asks">The caller's own choice, which comes first; null for none.</param>
    /// <param name="types">What the attribute names.</param>
    /// <param name="code">The class whose code threw.</param>
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

    // What was thrown in a worker may be known by its name alone; the type is looked for where the code itself would find it.
    private static bool IsNamed(Type type, string name, Type code) =>
        type.FullName == name
        || (Type.GetType(name) ?? code.Assembly.GetType(name) ?? type.Assembly.GetType(name)) is { } thrown && type.IsAssignableFrom(thrown);
}
