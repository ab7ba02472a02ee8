namespace Serve;

/// <summary>Several results of one task: <c>var (quotient, remainder) = ray.Demo.DivMod.Remote(7, 2);</c> gives a ref to each item of the tuple that the task returns.</summary>
public static class ObjectRefTupleExtensions
{
    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    public static void Deconstruct<T1, T2>(
        this ObjectRef<(T1, T2)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2), T2>(reference, 1);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    public static void Deconstruct<T1, T2, T3>(
        this ObjectRef<(T1, T2, T3)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3), T3>(reference, 2);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <typeparam name="T4">The fourth item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    /// <param name="fourth">A ref to its fourth item.</param>
    public static void Deconstruct<T1, T2, T3, T4>(
        this ObjectRef<(T1, T2, T3, T4)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third, out ObjectRef<T4> fourth)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3, T4), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3, T4), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3, T4), T3>(reference, 2);
        fourth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4), T4>(reference, 3);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <typeparam name="T4">The fourth item's type.</typeparam>
    /// <typeparam name="T5">The fifth item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    /// <param name="fourth">A ref to its fourth item.</param>
    /// <param name="fifth">A ref to its fifth item.</param>
    public static void Deconstruct<T1, T2, T3, T4, T5>(
        this ObjectRef<(T1, T2, T3, T4, T5)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third, out ObjectRef<T4> fourth, out ObjectRef<T5> fifth)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5), T3>(reference, 2);
        fourth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5), T4>(reference, 3);
        fifth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5), T5>(reference, 4);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <typeparam name="T4">The fourth item's type.</typeparam>
    /// <typeparam name="T5">The fifth item's type.</typeparam>
    /// <typeparam name="T6">The sixth item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    /// <param name="fourth">A ref to its fourth item.</param>
    /// <param name="fifth">A ref to its fifth item.</param>
    /// <param name="sixth">A ref to its sixth item.</param>
    public static void Deconstruct<T1, T2, T3, T4, T5, T6>(
        this ObjectRef<(T1, T2, T3, T4, T5, T6)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third, out ObjectRef<T4> fourth, out ObjectRef<T5> fifth, out ObjectRef<T6> sixth)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T3>(reference, 2);
        fourth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T4>(reference, 3);
        fifth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T5>(reference, 4);
        sixth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6), T6>(reference, 5);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <typeparam name="T4">The fourth item's type.</typeparam>
    /// <typeparam name="T5">The fifth item's type.</typeparam>
    /// <typeparam name="T6">The sixth item's type.</typeparam>
    /// <typeparam name="T7">The seventh item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    /// <param name="fourth">A ref to its fourth item.</param>
    /// <param name="fifth">A ref to its fifth item.</param>
    /// <param name="sixth">A ref to its sixth item.</param>
    /// <param name="seventh">A ref to its seventh item.</param>
    public static void Deconstruct<T1, T2, T3, T4, T5, T6, T7>(
        this ObjectRef<(T1, T2, T3, T4, T5, T6, T7)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third, out ObjectRef<T4> fourth, out ObjectRef<T5> fifth, out ObjectRef<T6> sixth, out ObjectRef<T7> seventh)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T3>(reference, 2);
        fourth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T4>(reference, 3);
        fifth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T5>(reference, 4);
        sixth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T6>(reference, 5);
        seventh = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7), T7>(reference, 6);
    }

    /// <summary>Takes a ref to a tuple apart. The refs are ready when the tuple is, and fail as it does.</summary>
    /// <typeparam name="T1">The first item's type.</typeparam>
    /// <typeparam name="T2">The second item's type.</typeparam>
    /// <typeparam name="T3">The third item's type.</typeparam>
    /// <typeparam name="T4">The fourth item's type.</typeparam>
    /// <typeparam name="T5">The fifth item's type.</typeparam>
    /// <typeparam name="T6">The sixth item's type.</typeparam>
    /// <typeparam name="T7">The seventh item's type.</typeparam>
    /// <typeparam name="T8">The eighth item's type.</typeparam>
    /// <param name="reference">A ref to a tuple.</param>
    /// <param name="first">A ref to its first item.</param>
    /// <param name="second">A ref to its second item.</param>
    /// <param name="third">A ref to its third item.</param>
    /// <param name="fourth">A ref to its fourth item.</param>
    /// <param name="fifth">A ref to its fifth item.</param>
    /// <param name="sixth">A ref to its sixth item.</param>
    /// <param name="seventh">A ref to its seventh item.</param>
    /// <param name="eighth">A ref to its eighth item.</param>
    public static void Deconstruct<T1, T2, T3, T4, T5, T6, T7, T8>(
        this ObjectRef<(T1, T2, T3, T4, T5, T6, T7, T8)> reference, out ObjectRef<T1> first, out ObjectRef<T2> second, out ObjectRef<T3> third, out ObjectRef<T4> fourth, out ObjectRef<T5> fifth, out ObjectRef<T6> sixth, out ObjectRef<T7> seventh, out ObjectRef<T8> eighth)
    {
        ArgumentNullException.ThrowIfNull(reference);
        first = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T1>(reference, 0);
        second = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T2>(reference, 1);
        third = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T3>(reference, 2);
        fourth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T4>(reference, 3);
        fifth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T5>(reference, 4);
        sixth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T6>(reference, 5);
        seventh = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T7>(reference, 6);
        eighth = reference.Cluster.CreateItemRef<(T1, T2, T3, T4, T5, T6, T7, T8), T8>(reference, 7);
    }
}
